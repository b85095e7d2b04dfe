/* Whether a JSON text is exactly what Python's json module writes for its value (cell.h). The answer "no" is always
 * allowed: the caller then reads the text and writes its value in Python. */
#include <string.h>

#include "cell.h"

enum { MAX_DEPTH = 32, MAX_MEMBERS = 32 };
enum { MAX_DIGITS = 15 }; /* a decimal number of so many digits is the shortest one of its double */

typedef struct {
    const uint8_t *start;
    size_t size;
} Key;

static const uint8_t *value(const uint8_t *at, const uint8_t *end, int depth);

static inline bool is_digit(const uint8_t *at, const uint8_t *end) { return at < end && *at >= '0' && *at <= '9'; }

static inline const uint8_t *word(const uint8_t *at, const uint8_t *end, const char *text) {
    size_t size = strlen(text);
    return (size_t)(end - at) >= size && memcmp(at, text, size) == 0 ? at + size : NULL;
}

/* An escape after its backslash: one that has no shorter form. */
static const uint8_t *escape(const uint8_t *at, const uint8_t *end) {
    if (at == end) return NULL;
    if (strchr("\"\\bfnrt", *at) != NULL && *at) return at + 1;
    if (end - at < 5 || memcmp(at, "u00", 3) != 0 || (at[3] != '0' && at[3] != '1')) return NULL;
    bool is_named = at[3] == '0' && strchr("89acd", at[4]) != NULL; /* \b \t \n \f \r */
    bool is_hex = (at[4] >= '0' && at[4] <= '9') || (at[4] >= 'a' && at[4] <= 'f');
    return is_hex && !is_named ? at + 5 : NULL;
}

static const uint8_t *string(const uint8_t *at, const uint8_t *end) {
    if (at == end || *at++ != '"') return NULL;
    while (at != NULL && at < end) {
        if (*at == '"') return at + 1;
        if (*at < 0x20) return NULL;
        at = *at == '\\' ? escape(at + 1, end) : at + 1;
    }
    return NULL;
}

/* A number as Python writes it: an integer, or a decimal of at most 15 digits without an exponent. */
static const uint8_t *number(const uint8_t *at, const uint8_t *end) {
    bool is_negative = *at == '-';
    at += is_negative;
    const uint8_t *start = at;
    while (is_digit(at, end)) at++;
    long whole = at - start;
    if (whole == 0 || whole > MAX_DIGITS || (whole > 1 && *start == '0')) return NULL;
    if (at == end || *at != '.') {
        if (is_negative && *start == '0') return NULL; /* Python reads -0 as 0 */
        return at < end && (*at == 'e' || *at == 'E') ? NULL : at;
    }
    const uint8_t *point = at++;
    while (is_digit(at, end)) at++;
    long part = at - point - 1;
    if (part == 0 || whole + part > MAX_DIGITS) return NULL;
    if (part > 1 && at[-1] == '0') return NULL;
    if (*start == '0' && part > 4 && memcmp(point, ".0000", 5) == 0) return NULL; /* Python writes 1e-05 */
    return at < end && (*at == 'e' || *at == 'E') ? NULL : at;
}

static const uint8_t *array(const uint8_t *at, const uint8_t *end, int depth) {
    if (at < end && *at == ']') return at + 1;
    while ((at = value(at, end, depth)) != NULL && at < end) {
        if (*at == ']') return at + 1;
        if ((at = word(at, end, ", ")) == NULL) return NULL;
    }
    return NULL;
}

/* Return whether `keys` has the last key twice. */
static bool is_repeated(const Key *keys, int last) {
    for (int place = 0; place < last; place++) {
        if (keys[place].size == keys[last].size && memcmp(keys[place].start, keys[last].start, keys[last].size) == 0) {
            return true;
        }
    }
    return false;
}

static const uint8_t *object(const uint8_t *at, const uint8_t *end, int depth) {
    Key keys[MAX_MEMBERS];
    if (at < end && *at == '}') return at + 1;
    for (int members = 0; members < MAX_MEMBERS; members++) {
        const uint8_t *start = at;
        if ((at = string(at, end)) == NULL) return NULL;
        keys[members] = (Key){start, (size_t)(at - start)};
        if (is_repeated(keys, members) || (at = word(at, end, ": ")) == NULL) return NULL;
        if ((at = value(at, end, depth)) == NULL || at == end) return NULL;
        if (*at == '}') return at + 1;
        if ((at = word(at, end, ", ")) == NULL) return NULL;
    }
    return NULL;
}

static const uint8_t *value(const uint8_t *at, const uint8_t *end, int depth) {
    if (at == end || depth > MAX_DEPTH) return NULL;
    switch (*at) {
    case '{': return object(at + 1, end, depth + 1);
    case '[': return array(at + 1, end, depth + 1);
    case '"': return string(at, end);
    case 't': return word(at, end, "true");
    case 'f': return word(at, end, "false");
    case 'n': return word(at, end, "null");
    default: return *at == '-' || is_digit(at, end) ? number(at, end) : NULL;
    }
}

bool is_canonical_json(const uint8_t *text, size_t size) {
    return size && (*text == '{' || *text == '[') && value(text, text + size, 0) == text + size;
}
