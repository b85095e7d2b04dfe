/* JSON objects by RFC 8259, as their members stand in the text; json_text.py says the same in Python. */
#ifndef PUPPYLOG_JSON_TEXT_H
#define PUPPYLOG_JSON_TEXT_H

#include "fields.h"

enum { JSON_DEEPEST = 100 };

/* A member of an object: spans of the text. */
typedef struct {
    Span key;                          /* what is between its quotes */
    Span json;                         /* the value */
    bool has_key_escapes, has_escapes; /* the latter of a string */
} Item;

/* What reading an object has found. The blocks of memory are the caller's; see json_walk_close. */
typedef struct {
    Bytes items;          /* Item: those of the outermost object, behind what was there before */
    Bytes keys;           /* Key: those of the objects that are open */
    bool has_nothings;    /* escapes that stand for no character */
    bool has_key_escapes; /* keys that may look different and be equal */
    bool has_twins;       /* equal keys in one object */
    bool failed;          /* no memory */
} Walk;

/* Read an object, all of `text`, and find what is odd in it; return a reason or FITS. */
int json_walk(Walk *walk, Span text);

/* Write into `to` the text, which fits, as its members are to be read; there is room for twice as much. The walk says
 * then whether the text had escapes that stand for no character. */
Span json_tidy(Walk *walk, Span text, uint8_t *to);

void json_walk_close(Walk *walk);

/* Write the text that a string means, without its quotes, into `to`, and return its size, which is not larger. */
size_t json_decode(Span string, uint8_t *to);

/* Return the string's closing quote, `at` being behind the opening one; the string is one that fits. */
const uint8_t *json_string_end(const uint8_t *at);

static inline const uint8_t *json_skip_blanks(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
    return at;
}

/* The number that four hexadecimal digits are, or -1. */
int json_hex(const uint8_t *at, const uint8_t *end);

/* Write a character, which is no half of a pair, as UTF-8; return where it ends. */
uint8_t *json_put(uint8_t *to, uint32_t character);

/* Read the escape whose u is at `at`: return its character, U+FFFD if it stands for none, and set where it ends. */
uint32_t json_unit(const uint8_t *at, const uint8_t *end, const uint8_t **until, bool *is_nothing);

#endif
