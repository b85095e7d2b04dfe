/* Reads JSON objects (RFC 8259) without changing how values are written. json_text.py does the same in Python. */
#ifndef PUPPYLOG_JSON_TEXT_H
#define PUPPYLOG_JSON_TEXT_H

#include "fields.h"

enum { JSON_DEEPEST = 100 };

/* A member of an object. Its spans point into the text. */
typedef struct {
    Span key;                          /* the key without its quotes */
    Span json;                         /* the value */
    bool has_key_escapes, has_escapes; /* has_escapes: the value is a string with escapes */
} Item;

/* What json_walk finds. The caller frees its memory with json_walk_close. */
typedef struct {
    Bytes items;              /* Item: the members of the outermost object are appended, also if it is rejected */
    Bytes keys;               /* Key: the keys of the objects that are not closed yet */
    bool has_invalid_escapes; /* an escape of NUL or of half a surrogate pair */
    bool has_key_escapes;     /* keys that may be equal although they are written differently */
    bool has_duplicate_keys;  /* equal keys in one object */
    bool failed;              /* an allocation failed */
} Walk;

/* Read an object that is all of `text`. Return a reason or FITS. */
int json_walk(Walk *walk, Span text);

/* Write the rewritten text to `to`, which has memory for twice the text, and return it. The text must fit. Afterwards
 * the walk says whether the text had invalid escapes. */
Span json_rewrite(Walk *walk, Span text, uint8_t *to);

void json_walk_close(Walk *walk);

/* Write the characters of a string, given without its quotes, to `to`; return their size, which is not larger. */
size_t json_decode(Span string, uint8_t *to);

/* Return the closing quote of a valid string whose opening quote is before `at`. */
const uint8_t *json_string_end(const uint8_t *at);

static inline const uint8_t *json_skip_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

/* Return the number in four hexadecimal digits, or -1. */
int json_hex(const uint8_t *at, const uint8_t *end);

/* Write a character as UTF-8 and return its end. It must be no half of a surrogate pair. */
uint8_t *json_put(uint8_t *to, uint32_t character);

/* Return the character of the escape whose u is at `at`, and set the end of the escape. For NUL or half of a surrogate
 * pair, set `is_invalid` and return U+FFFD. */
uint32_t json_unit(const uint8_t *at, const uint8_t *end, const uint8_t **escape_end, bool *is_invalid);

#endif
