/* Reads lines of logfmt: see logfmt.py. */
#include "logfmt.h"

#include "json_text.h"
#include "module.h"
#include "scan.h"

enum { MAX_NUMBER_LENGTH = 20, MAX_EXPONENT_LENGTH = 3, REPLACEMENT = 0xFFFD };

static inline bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

static inline bool ends_word(const uint8_t *at, const uint8_t *end) { return at == end || is_blank(*at); }

static const uint8_t *skip_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_blank(*at)) at++;
    return at;
}

static inline bool is_control(uint8_t byte) { return byte < 0x20 && byte != '\t'; }

static bool has_control(Span line) {
    const uint8_t *at = line.at, *end = at + line.size;
    for (; end - at >= 8; at += 8) {
        if (!has_less(word_of(at), 0x20)) continue;
        for (int place = 0; place < 8; place++) {
            if (is_control(at[place])) return true;
        }
    }
    while (at < end && !is_control(*at)) at++;
    return at < end;
}

/* 2: the byte may begin a key; 1: it may be in a key after the first byte */
static const uint8_t IN_KEY[128] = {
    ['@'] = 2, ['%'] = 2, ['_'] = 2, ['-'] = 1, ['.'] = 1, [':'] = 1, ['/'] = 1, ['#'] = 1, ['$'] = 1, ['['] = 1,
    [']'] = 1, ['0'] = 1, ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1, ['7'] = 1, ['8'] = 1,
    ['9'] = 1, ['A'] = 2, ['B'] = 2, ['C'] = 2, ['D'] = 2, ['E'] = 2, ['F'] = 2, ['G'] = 2, ['H'] = 2, ['I'] = 2,
    ['J'] = 2, ['K'] = 2, ['L'] = 2, ['M'] = 2, ['N'] = 2, ['O'] = 2, ['P'] = 2, ['Q'] = 2, ['R'] = 2, ['S'] = 2,
    ['T'] = 2, ['U'] = 2, ['V'] = 2, ['W'] = 2, ['X'] = 2, ['Y'] = 2, ['Z'] = 2, ['a'] = 2, ['b'] = 2, ['c'] = 2,
    ['d'] = 2, ['e'] = 2, ['f'] = 2, ['g'] = 2, ['h'] = 2, ['i'] = 2, ['j'] = 2, ['k'] = 2, ['l'] = 2, ['m'] = 2,
    ['n'] = 2, ['o'] = 2, ['p'] = 2, ['q'] = 2, ['r'] = 2, ['s'] = 2, ['t'] = 2, ['u'] = 2, ['v'] = 2, ['w'] = 2,
    ['x'] = 2, ['y'] = 2, ['z'] = 2,
};

static const uint8_t *key_end(const uint8_t *at, const uint8_t *end) {
    for (int least = 2; at < end && (*at >= 0x80 || IN_KEY[*at] >= least); at++) least = 1;
    return at;
}

/* Return whether the value is a JSON number. Its exponent must have a sign. */
static bool is_number(Span value) {
    const uint8_t *at = value.at, *end = at + value.size, *start;
    if (value.size > MAX_NUMBER_LENGTH) return false;
    if (at < end && *at == '-') at++;
    if (at == end || !is_digit(*at)) return false;
    if (*at == '0') at++;
    else
        while (at < end && is_digit(*at)) at++;
    if (at < end && *at == '.') {
        for (start = ++at; at < end && is_digit(*at);) at++;
        if (at == start) return false;
    }
    if (end - at > 2 && (*at | 0x20) == 'e' && (at[1] == '+' || at[1] == '-')) {
        for (start = at += 2; at < end && is_digit(*at);) at++;
        if (at == start || at - start > MAX_EXPONENT_LENGTH) return false;
    }
    return at == end;
}

/* Write the character of the escape whose backslash is at `at`; set the end of the escape, and return the end of the
 * character. */
static uint8_t *put_escape(LogfmtReader *reader, const uint8_t *at, const uint8_t *end, const uint8_t **escape_end,
                           uint8_t *to) {
    static const uint8_t UNESCAPED[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['a'] = '\a', ['b'] = '\b',
                                           ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t', ['v'] = '\v'};
    uint8_t byte = *++at;
    if (byte == 'u' && json_hex(at + 1, end) >= 0) {
        return json_put(to, json_unit(at, end, escape_end, &reader->has_invalid_escapes));
    }
    if (byte == 'x' && end - at >= 3) {
        const uint8_t digits[] = {'0', '0', at[1], at[2]};
        int code = json_hex(digits, digits + 4);
        if (code >= 0) {
            bool is_invalid = code == 0 || code >= 0x80;
            reader->has_invalid_escapes |= is_invalid;
            *escape_end = at + 3;
            return json_put(to, is_invalid ? REPLACEMENT : (uint32_t)code);
        }
    }
    if (byte < 0x80 && UNESCAPED[byte]) {
        *to++ = UNESCAPED[byte];
    } else {
        *to++ = '\\';
        *to++ = byte;
    }
    *escape_end = at + 1;
    return to;
}

static Span unescape(LogfmtReader *reader, Span quoted) {
    uint8_t *to = reader->scratch;
    for (const uint8_t *at = quoted.at, *end = at + quoted.size; at < end;) {
        if (*at == '\\') to = put_escape(reader, at, end, &at, to);
        else *to++ = *at++;
    }
    Span text = span_of(reader->scratch, to);
    reader->scratch = to;
    return text;
}

static int read_quoted(LogfmtReader *reader, const uint8_t **place, const uint8_t *end, Member *member) {
    const uint8_t *start = *place + 1, *at = start;
    bool has_escapes = false;
    while ((at = find_special(at, end)) < end && *at != '"') {
        bool is_escape = *at == '\\';
        has_escapes |= is_escape;
        at += is_escape ? 2 : 1;
    }
    if (at >= end) return LOGFMT_OPEN_QUOTE;
    if (!ends_word(at + 1, end)) return LOGFMT_QUOTE_WITHIN;
    member->kind = VALUE_TEXT;
    member->json = (Span){0};
    member->text = has_escapes ? unescape(reader, span_of(start, at)) : span_of(start, at);
    *place = at + 1;
    return FITS;
}

static int read_plain(const uint8_t **place, const uint8_t *end, Member *member) {
    const uint8_t *at = *place;
    while (!ends_word(at, end) && *at != '"') at++;
    if (!ends_word(at, end)) return LOGFMT_QUOTE_WITHIN;
    Span value = span_of(*place, at);
    *place = at;
    member->json = member->text = value;
    if (is_number(value)) {
        member->kind = VALUE_NUMBER;
    } else if (!span_is(value, "true") && !span_is(value, "false")) {
        member->kind = VALUE_TEXT;
        member->json = (Span){0};
    }
    return FITS;
}

/* Keep the last of the members with equal keys. */
static void drop_duplicates(LogfmtReader *reader) {
    Member *members = (Member *)reader->members.at;
    Key *keys = (Key *)reader->keys.at;
    size_t count = reader->keys.size / sizeof *keys, kept = 0;
    if (!keys_have_duplicates(keys, count)) return;
    keys_sort(keys, count);
    for (size_t place = 1; place < count; place++) {
        if (keys_equal(&keys[place - 1], &keys[place])) members[keys[place - 1].start].key.at = NULL;
    }
    for (size_t place = 0; place < count; place++) {
        if (members[place].key.at != NULL) members[kept++] = members[place];
    }
    reader->members.size = kept * sizeof *members;
}

static int list_members(LogfmtReader *reader, Span line) {
    const uint8_t *end = line.at + line.size, *at = skip_blanks(line.at, end);
    uint32_t words = 0, pairs = 0;
    for (; at < end || words == 0; words++, at = skip_blanks(at, end)) {
        const uint8_t *after_key = key_end(at, end);
        bool is_pair = after_key > at && after_key < end && *after_key == '=';
        if (after_key == at || !(is_pair || (words > 0 && ends_word(after_key, end))))
            return words ? LOGFMT_NO_KEY : LOGFMT_NO_PAIR;
        Key *key = bytes_extend(&reader->keys, sizeof *key, &reader->failed);
        Member *member = bytes_extend(&reader->members, sizeof *member, &reader->failed);
        if (key == NULL || member == NULL) return LOGFMT_CONTROL;
        *key = (Key){.text = span_of(at, after_key), .start = words};
        *member = (Member){.key = key->text, .json = span_of_text("true")};
        member->name = names_find_at(reader->names, &reader->path, words, key->text);
        at = after_key;
        if (is_pair) {
            pairs++;
            at++;
            bool is_quoted = at < end && *at == '"';
            int reason = is_quoted ? read_quoted(reader, &at, end, member) : read_plain(&at, end, member);
            if (reason != FITS) return reason;
        }
    }
    if (words > 2 * pairs) return LOGFMT_FEW_PAIRS;
    drop_duplicates(reader);
    return FITS;
}

int logfmt_read(LogfmtReader *reader, Span line, Row *row) {
    if (has_control(line)) return LOGFMT_CONTROL;
    reader->keys.size = reader->members.size = 0;
    reader->has_invalid_escapes = false;
    reader->scratch = builder_scratch(reader->builder, 2 * line.size);
    if (reader->scratch == NULL) return LOGFMT_CONTROL;
    int reason = list_members(reader, line);
    if (reason != FITS) return reason;
    Member *members = (Member *)reader->members.at;
    size_t count = reader->members.size / sizeof *members;
    Extras extras;
    fields_read(members, count, row, &extras);
    fields_write(reader->builder, members, count, &extras);
    if (reader->has_invalid_escapes) {
        builder_json_member(reader->builder, span_of_text("invalid_escape"), span_of_text("true"));
    }
    return FITS;
}

bool logfmt_begins(Span text) {
    const uint8_t *end = text.at + text.size, *after_key = key_end(text.at, end);
    return after_key > text.at && after_key < end && *after_key == '=';
}

void logfmt_close(LogfmtReader *reader) {
    if (reader->failed) reader->builder->failed = true;
    memory_free(reader->members.at);
    memory_free(reader->keys.at);
}

INLINED int read_line(Builder *builder, Span line, void *reader) {
    Row row;
    row_begin(&row);
    int reason = logfmt_read(reader, line, &row);
    if (reason == FITS) builder_record(builder, line.at, &row);
    return reason;
}

static void read_text(Builder *builder, void *table) {
    Names names;
    names_open(&names, *(const Span *)table);
    LogfmtReader reader = {.builder = builder, .names = &names};
    read_lines(builder, read_line, NULL, &reader);
    logfmt_close(&reader);
}

PyObject *native_logfmt(PyObject *module, PyObject *arguments) { return read_by_names(module, arguments, read_text); }
