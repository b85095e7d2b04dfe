/* Takes the parts of a line one after another. A function that returns false does not move the cursor. */
#ifndef PUPPYLOG_CURSOR_H
#define PUPPYLOG_CURSOR_H

#include "builder.h"
#include "scan.h"

enum { MAX_DIGITS = 18 }; /* in a number: it fits 63 bits */

typedef struct {
    const uint8_t *at, *end;
} Cursor;

static inline Cursor cursor_of(Span span) { return (Cursor){span.at, span.at + span.size}; }

static inline Span rest_of(Cursor cursor) { return span_of(cursor.at, cursor.end); }

static inline bool take_byte(Cursor *cursor, uint8_t byte) {
    if (cursor->at == cursor->end || *cursor->at != byte) return false;
    cursor->at++;
    return true;
}

static inline bool take_text(Cursor *cursor, const char *text) {
    size_t size = strlen(text);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, text, size) != 0) return false;
    cursor->at += size;
    return true;
}

/* Take 1 to 18 digits. */
static inline bool take_digits(Cursor *cursor, Span *digits) {
    const uint8_t *at = cursor->at;
    while (at < cursor->end && is_digit(*at)) at++;
    if (at == cursor->at || at - cursor->at > MAX_DIGITS) return false;
    *digits = span_of(cursor->at, at);
    cursor->at = at;
    return true;
}

/* Take all bytes before `byte`, and `byte` itself. */
static inline bool take_until(Cursor *cursor, uint8_t byte, Span *before) {
    const uint8_t *found = find_near(cursor->at, cursor->end, byte);
    if (found == NULL) return false;
    *before = span_of(cursor->at, found);
    cursor->at = found + 1;
    return true;
}

/* Take all bytes before the next blank or the end, and the blank. */
static inline Span take_word(Cursor *cursor) {
    Span word;
    if (take_until(cursor, ' ', &word)) return word;
    word = rest_of(*cursor);
    cursor->at = cursor->end;
    return word;
}

static inline bool is_all_digits(Span text) {
    for (size_t place = 0; place < text.size; place++) {
        if (!is_digit(text.at[place])) return false;
    }
    return text.size > 0;
}

/* Return whether the text is a whole number of JSON: 1 to 18 digits without leading zeros. */
static inline bool is_json_number(Span text) {
    return text.size <= MAX_DIGITS && is_all_digits(text) && (text.size == 1 || text.at[0] != '0');
}

/* Add an attribute that is a text, unless the text is empty or a dash. */
static inline void add_known(Builder *builder, const char *key, Span text) {
    text = without_dash(text);
    if (text.size) builder_text_member(builder, span_of_text(key), text);
}

/* Do the same for an attribute that is a number, or a text if it is no whole number of JSON. */
static inline void add_number(Builder *builder, const char *key, Span text) {
    if (is_json_number(text)) builder_json_member(builder, span_of_text(key), text);
    else add_known(builder, key, text);
}

/* Return the number of up to 18 digits. */
static inline int64_t value_of(Span digits) {
    int64_t number = 0;
    for (size_t place = 0; place < digits.size; place++) number = number * 10 + (digits.at[place] - '0');
    return number;
}

#endif
