/* Values as JSON strings, JSON documents and cells of CSV. See cell.h. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <string.h>

#include "cell.h"

static const char HEX[] = "0123456789abcdef";

int32_t next_char(const uint8_t **at, const uint8_t *end) {
    const uint8_t *byte = *at;
    int32_t first = *byte;
    if (first < 0x80) return (*at)++, first;
    int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || end - byte <= more) return -1;
    int32_t code = first & (0x3f >> more);
    for (int place = 1; place <= more; place++) {
        if ((byte[place] & 0xc0) != 0x80) return -1;
        code = code << 6 | (byte[place] & 0x3f);
    }
    int32_t lowest = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
    if (code < lowest || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return -1;
    *at = byte + more + 1;
    return code;
}

static uint8_t *put_hex(uint8_t *to, char letter, uint32_t value, int digits) {
    *to++ = '\\';
    *to++ = (uint8_t)letter;
    for (int place = digits - 1; place >= 0; place--) *to++ = (uint8_t)HEX[value >> (4 * place) & 15];
    return to;
}

/* A character as JSON's escape: of one UTF-16 unit, or of two. */
static uint8_t *put_json_escape(uint8_t *to, int32_t code) {
    if (code < 0x10000) return put_hex(to, 'u', (uint32_t)code, 4);
    uint32_t rest = (uint32_t)code - 0x10000;
    return put_hex(put_hex(to, 'u', 0xd800 + (rest >> 10), 4), 'u', 0xdc00 + (rest & 0x3ff), 4);
}

/* A character as Python's escape. */
static uint8_t *put_escape(uint8_t *to, int32_t code) {
    const char *known = code == '\t' ? "\\t" : code == '\n' ? "\\n" : code == '\r' ? "\\r" : NULL;
    if (known != NULL) return memcpy(to, known, 2), to + 2;
    if (code < 0x100) return put_hex(to, 'x', (uint32_t)code, 2);
    return code < 0x10000 ? put_hex(to, 'u', (uint32_t)code, 4) : put_hex(to, 'U', (uint32_t)code, 8);
}

typedef uint8_t *Escape(uint8_t *to, int32_t code);

/* Write the character at `*at` outside of ASCII, or its escape if it is not printable. */
static uint8_t *put_wide(uint8_t *to, const uint8_t **at, const uint8_t *end, Escape *escape) {
    const uint8_t *start = *at;
    int32_t code = next_char(at, end);
    if (code < 0) return NULL;
    if (!Py_UNICODE_ISPRINTABLE((Py_UCS4)code)) return escape(to, code);
    size_t size = (size_t)(*at - start);
    memcpy(to, start, size);
    return to + size;
}

static inline bool is_plain_ascii(uint8_t byte) { return byte >= 0x20 && byte < 0x7f; }

/* Return whether the eight bytes at `at` are printable ASCII without quotes and backslashes. */
static inline bool are_plain(const uint8_t *at) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t bytes, quote, slash, last;
    memcpy(&bytes, at, sizeof bytes);
    quote = bytes ^ ones * '"', slash = bytes ^ ones * '\\', last = bytes ^ ones * 0x7f;
    /* A byte below its subtrahend sets its top bit; a false positive only costs time. */
    uint64_t low = bytes - ones * 0x20;
    return !((bytes | low | (quote - ones) | (slash - ones) | (last - ones)) & tops);
}

/* Copy plain bytes eight at a time; `*from` moves to the first group with another byte. */
static inline uint8_t *copy_plain(uint8_t *to, const uint8_t **from, const uint8_t *end) {
    const uint8_t *at = *from;
    while (end - at >= 8 && are_plain(at)) {
        memcpy(to, at, 8);
        to += 8;
        at += 8;
    }
    *from = at;
    return to;
}

static uint8_t *put_json_special(uint8_t *to, uint8_t byte) {
    const char *known;
    switch (byte) {
    case '"': known = "\\\""; break;
    case '\\': known = "\\\\"; break;
    case '\b': known = "\\b"; break;
    case '\f': known = "\\f"; break;
    case '\n': known = "\\n"; break;
    case '\r': known = "\\r"; break;
    case '\t': known = "\\t"; break;
    default: return put_json_escape(to, byte);
    }
    memcpy(to, known, 2);
    return to + 2;
}

uint8_t *put_json_string(uint8_t *to, const uint8_t *text, size_t size) {
    const uint8_t *at = text, *end = text + size;
    *to++ = '"';
    while (at < end) {
        to = copy_plain(to, &at, end);
        for (int left = 8; left && at < end; left--) {
            if (*at >= 0x80) {
                if ((to = put_wide(to, &at, end, put_json_escape)) == NULL) return NULL;
            } else if (is_plain_ascii(*at) && *at != '"' && *at != '\\') {
                *to++ = *at++;
            } else {
                to = put_json_special(to, *at++);
            }
        }
    }
    *to++ = '"';
    return to;
}

/* Write a text with an escape for each character that is not printable, and with two quotes for one if `is_quoted`. */
static uint8_t *put_clean(uint8_t *to, const uint8_t *text, size_t size, Escape *escape, bool is_quoted) {
    const uint8_t *at = text, *end = text + size;
    while (at < end) {
        to = copy_plain(to, &at, end);
        for (int left = 8; left && at < end; left--) {
            if (*at >= 0x80) {
                if ((to = put_wide(to, &at, end, escape)) == NULL) return NULL;
            } else if (is_plain_ascii(*at)) {
                if (*at == '"' && is_quoted) *to++ = '"';
                *to++ = *at++;
            } else {
                to = escape(to, *at++);
            }
        }
    }
    return to;
}

uint8_t *put_json_document(uint8_t *to, const uint8_t *text, size_t size) {
    return put_clean(to, text, size, put_json_escape, false);
}

static bool needs_quotes(const uint8_t *text, size_t size) {
    return memchr(text, ',', size) != NULL || memchr(text, '"', size) != NULL;
}

uint8_t *put_csv_document(uint8_t *to, const uint8_t *text, size_t size) {
    if (!size || !needs_quotes(text, size)) return put_json_document(to, text, size);
    *to++ = '"';
    to = put_clean(to, text, size, put_json_escape, true);
    if (to != NULL) *to++ = '"';
    return to;
}

/* Move `*at` to the end of the decimal digits there, of any script; return whether there are any. */
static bool skip_digits(const uint8_t **at, const uint8_t *end) {
    const uint8_t *start = *at;
    while (*at < end) {
        const uint8_t *next = *at;
        int32_t code = next_char(&next, end);
        if (code < 0 || !Py_UNICODE_ISDECIMAL((Py_UCS4)code)) break;
        *at = next;
    }
    return *at > start;
}

/* Return whether a text after its sign is a number. */
static bool is_number(const uint8_t *at, const uint8_t *end) {
    if (!skip_digits(&at, end)) return false;
    if (at == end) return true;
    return *at == '.' && (at++, skip_digits(&at, end)) && at == end;
}

/* Return whether a spreadsheet would run the text: it starts as a formula, has more than one character, and is no
 * number. Spreadsheets take the full-width forms of the first character, too. */
static bool is_formula(const uint8_t *text, size_t size) {
    if (*text != '=' && *text != '+' && *text != '-' && *text != '@' && *text != 0xef) return false;
    const uint8_t *at = text, *end = text + size;
    int32_t first = next_char(&at, end);
    if (at == end) return false;
    if (first == '+' || first == '-') return !is_number(at, end);
    return first == '=' || first == '@' || first == 0xff1d || first == 0xff0b || first == 0xff0d || first == 0xff20;
}

uint8_t *put_csv_text(uint8_t *to, const uint8_t *text, size_t size) {
    if (!size) {
        memcpy(to, "\"\"", 2);
        return to + 2;
    }
    bool is_quoted = needs_quotes(text, size);
    if (is_quoted) *to++ = '"';
    if (is_formula(text, size)) *to++ = '\'';
    to = put_clean(to, text, size, put_escape, is_quoted);
    if (to != NULL && is_quoted) *to++ = '"';
    return to;
}
