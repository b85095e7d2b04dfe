#include "json_text.h"
#include "scan.h"

enum {
    MAX_NUMBER_LENGTH = 1000,
    MAX_EXPONENT_LENGTH = 4
}; /* in digits; PostgreSQL has numbers from 10^-16383 to 10^131072 */
enum { REPLACEMENT = 0xFFFD };

typedef enum { VALUE, KEY, ENDED } State; /* what comes next: a value or a key; or a value has ended */

typedef struct {
    Walk *walk;
    const uint8_t *at, *end;
    State state;
    int depth; /* 1 in the outermost object */
    bool is_object[JSON_DEEPEST + 1];
    size_t first_key[JSON_DEEPEST + 1]; /* for each depth, the offset of the object's first key in walk->keys */
} Cursor;

/* Return the member of the outermost object that is being read. */
static inline Item *item_of(const Cursor *cursor) {
    const Bytes *items = &cursor->walk->items;
    return (Item *)(items->at + items->size) - 1;
}

static inline int peek(const Cursor *cursor) { return cursor->at < cursor->end ? *cursor->at : 0; }

static inline void skip(Cursor *cursor) { cursor->at = json_skip_blanks(cursor->at, cursor->end); }

int json_hex(const uint8_t *at, const uint8_t *end) {
    int number = 0;
    if (end - at < 4) return -1;
    for (int place = 0; place < 4; place++) {
        int byte = at[place], letter = byte | 0x20;
        int digit = is_digit(byte) ? byte - '0' : letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
        if (digit < 0) return -1;
        number = number * 16 + digit;
    }
    return number;
}

uint8_t *json_put(uint8_t *to, uint32_t character) {
    if (character < 0x80) {
        *to++ = (uint8_t)character;
        return to;
    }
    int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const uint8_t LEADS[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (uint8_t)(LEADS[more] | character >> 6 * more);
    while (more-- > 0) *to++ = (uint8_t)(0x80 | (character >> 6 * more & 0x3F));
    return to;
}

uint32_t json_unit(const uint8_t *at, const uint8_t *end, const uint8_t **escape_end, bool *is_invalid) {
    int unit = json_hex(at + 1, end);
    *escape_end = at + 5;
    bool is_high = unit >= 0xD800 && unit < 0xDC00;
    if (is_high && end - *escape_end >= 6 && at[5] == '\\' && at[6] == 'u') {
        int low = json_hex(at + 7, end);
        if (low >= 0xDC00 && low < 0xE000) {
            *escape_end = at + 11;
            return 0x10000 + ((uint32_t)(unit - 0xD800) << 10) + (uint32_t)(low - 0xDC00);
        }
    }
    if (unit != 0 && !(unit >= 0xD800 && unit < 0xE000)) return (uint32_t)unit;
    *is_invalid = true;
    return REPLACEMENT;
}

/* Return the end of the escape whose backslash is before `at`, or NULL if it is invalid. */
static const uint8_t *read_escape(Walk *walk, const uint8_t *at, const uint8_t *end) {
    if (at == end) return NULL;
    switch (*at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return at + 1;
    case 'u': break;
    default: return NULL;
    }
    if (json_hex(at + 1, end) < 0) return NULL;
    const uint8_t *escape_end;
    json_unit(at, end, &escape_end, &walk->has_invalid_escapes);
    return escape_end;
}

/* Return the closing quote of the string whose opening quote is before `at`; NULL if the string is malformed. */
static const uint8_t *read_string(Walk *walk, const uint8_t *at, const uint8_t *end, bool *has_escapes) {
    for (;;) {
        at = find_special(at, end);
        if (at == end || *at < 0x20) return NULL;
        if (*at == '"') return at;
        *has_escapes = true;
        at = read_escape(walk, at + 1, end);
        if (at == NULL) return NULL;
    }
}

static int skip_digits(Cursor *cursor) {
    const uint8_t *start = cursor->at;
    while (is_digit(peek(cursor))) cursor->at++;
    return cursor->at - start > MAX_NUMBER_LENGTH ? MAX_NUMBER_LENGTH + 1 : (int)(cursor->at - start);
}

/* Move after the digits that begin at `from`, and return their number; do not move if there is none. */
static int take_digits(Cursor *cursor, const uint8_t *from) {
    if (from >= cursor->end || !is_digit(*from)) return 0;
    cursor->at = from;
    return skip_digits(cursor);
}

static int take_number(Cursor *cursor) {
    const uint8_t *start = cursor->at;
    if (*cursor->at == '-') cursor->at++;
    if (!is_digit(peek(cursor))) return JSON_MALFORMED;
    if (*cursor->at == '0') cursor->at++;
    else skip_digits(cursor);
    if (peek(cursor) == '.') take_digits(cursor, cursor->at + 1);
    int exponent = 0;
    if ((peek(cursor) | 0x20) == 'e') {
        const uint8_t *from = cursor->at + 1;
        if (from < cursor->end && (*from == '+' || *from == '-')) from++;
        exponent = take_digits(cursor, from);
    }
    cursor->state = ENDED;
    return exponent > MAX_EXPONENT_LENGTH || cursor->at - start > MAX_NUMBER_LENGTH ? JSON_NUMBER_RANGE : FITS;
}

static int take_word(Cursor *cursor, const char *word) {
    size_t size = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, word, size) != 0) return JSON_MALFORMED;
    cursor->at += size;
    cursor->state = ENDED;
    return FITS;
}

static int take_string(Cursor *cursor) {
    bool has_escapes = false;
    const uint8_t *closing = read_string(cursor->walk, cursor->at + 1, cursor->end, &has_escapes);
    if (closing == NULL) return JSON_MALFORMED;
    if (cursor->depth == 1) item_of(cursor)->has_escapes = has_escapes;
    cursor->at = closing + 1;
    cursor->state = ENDED;
    return FITS;
}

static int close_bracket(Cursor *cursor) {
    Bytes *keys = &cursor->walk->keys;
    size_t start = cursor->first_key[cursor->depth];
    if (cursor->is_object[cursor->depth] && !cursor->walk->has_duplicate_keys) {
        cursor->walk->has_duplicate_keys =
            keys_have_duplicates((Key *)(keys->at + start), (keys->size - start) / sizeof(Key));
    }
    keys->size = start;
    cursor->depth--;
    cursor->at++;
    cursor->state = ENDED;
    return FITS;
}

static int open_bracket(Cursor *cursor) {
    if (cursor->depth == JSON_DEEPEST) return JSON_TOO_DEEP;
    bool is_object = *cursor->at == '{';
    cursor->depth++;
    cursor->is_object[cursor->depth] = is_object;
    cursor->first_key[cursor->depth] = cursor->walk->keys.size;
    cursor->at++;
    skip(cursor);
    if (peek(cursor) == (is_object ? '}' : ']')) return close_bracket(cursor);
    cursor->state = is_object ? KEY : VALUE;
    return FITS;
}

static int take_value(Cursor *cursor) {
    if (cursor->depth == 1) item_of(cursor)->json.at = cursor->at;
    switch (peek(cursor)) {
    case '{':
    case '[': return open_bracket(cursor);
    case '"': return take_string(cursor);
    case 't': return take_word(cursor, "true");
    case 'f': return take_word(cursor, "false");
    case 'n': return take_word(cursor, "null");
    default: return peek(cursor) == '-' || is_digit(peek(cursor)) ? take_number(cursor) : JSON_MALFORMED;
    }
}

static int take_key(Cursor *cursor) {
    bool has_escapes = false;
    if (peek(cursor) != '"') return JSON_MALFORMED;
    const uint8_t *start = cursor->at + 1, *closing = read_string(cursor->walk, start, cursor->end, &has_escapes);
    if (closing == NULL) return JSON_MALFORMED;
    Walk *walk = cursor->walk;
    Key *key = bytes_extend(&walk->keys, sizeof *key, &walk->failed);
    if (key == NULL) return JSON_MALFORMED;
    *key = (Key){.text = span_of(start, closing)};
    if (cursor->depth == 1) {
        Item *item = bytes_extend(&walk->items, sizeof *item, &walk->failed);
        if (item == NULL) return JSON_MALFORMED;
        *item = (Item){.key = span_of(start, closing), .has_key_escapes = has_escapes};
    }
    walk->has_key_escapes |= has_escapes;
    cursor->at = closing + 1;
    skip(cursor);
    if (peek(cursor) != ':') return JSON_MALFORMED;
    cursor->at++;
    skip(cursor);
    cursor->state = VALUE;
    return FITS;
}

/* Read the comma or the closing bracket after a value. */
static int take_end(Cursor *cursor) {
    bool is_object = cursor->is_object[cursor->depth];
    if (cursor->depth == 1) item_of(cursor)->json.size = (size_t)(cursor->at - item_of(cursor)->json.at);
    skip(cursor);
    if (peek(cursor) == (is_object ? '}' : ']')) return close_bracket(cursor);
    if (peek(cursor) != ',') return JSON_MALFORMED;
    cursor->at++;
    skip(cursor);
    cursor->state = is_object ? KEY : VALUE;
    return FITS;
}

static int take_object(Cursor *cursor) {
    int reason = open_bracket(cursor);
    while (reason == FITS && cursor->depth > 0) {
        switch (cursor->state) {
        case VALUE: reason = take_value(cursor); break;
        case KEY: reason = take_key(cursor); break;
        case ENDED: reason = take_end(cursor); break;
        }
    }
    skip(cursor);
    return reason == FITS && cursor->at != cursor->end ? JSON_MALFORMED : reason;
}

/* Return whether the brackets outside strings exceed the depth limit. The text need not be valid JSON. */
static bool is_too_deep(Span text) {
    const uint8_t *end = text.at + text.size;
    int depth = 0;
    bool is_string = false;
    for (const uint8_t *at = text.at; at < end && depth <= JSON_DEEPEST; at++) {
        if (*at == '"') is_string = !is_string;
        else if (is_string) at += *at == '\\';
        else depth += (*at == '{') + (*at == '[') - (*at == '}') - (*at == ']');
    }
    return depth > JSON_DEEPEST;
}

int json_walk(Walk *walk, Span text) {
    const uint8_t *end = text.at + text.size;
    Cursor cursor; /* the stacks are large, and set as far as they are used */
    cursor.walk = walk;
    cursor.at = json_skip_blanks(text.at, end);
    cursor.end = end;
    cursor.depth = 0;
    if (peek(&cursor) != '{') return JSON_NO_OBJECT;
    walk->keys.size = 0;
    walk->has_invalid_escapes = walk->has_key_escapes = walk->has_duplicate_keys = false;
    int reason = take_object(&cursor);
    return reason == FITS || !is_too_deep(text) ? reason : JSON_TOO_DEEP;
}

void json_walk_close(Walk *walk) {
    memory_free(walk->items.at);
    memory_free(walk->keys.at);
}

const uint8_t *json_string_end(const uint8_t *at) {
    while (*at != '"') at += *at == '\\' ? 2 : 1;
    return at;
}

size_t json_decode(Span string, uint8_t *to) {
    static const uint8_t UNESCAPED[] = {['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
    const uint8_t *at = string.at, *end = at + string.size;
    uint8_t *start = to;
    while (at < end) {
        if (*at != '\\') {
            const uint8_t *escape = find(at, end, '\\');
            if (escape == NULL) escape = end;
            memcpy(to, at, (size_t)(escape - at));
            to += escape - at;
            at = escape;
        } else if (*++at == 'u') {
            bool is_invalid;
            to = json_put(to, json_unit(at, end, &at, &is_invalid));
        } else {
            *to++ = *at < sizeof UNESCAPED && UNESCAPED[*at] ? UNESCAPED[*at] : *at;
            at++;
        }
    }
    return (size_t)(to - start);
}
