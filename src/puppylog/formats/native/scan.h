/* Searches for single bytes in a line. */
#ifndef PUPPYLOG_SCAN_H
#define PUPPYLOG_SCAN_H

#include "builder.h"

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') <= 9; }

static inline const uint8_t *find(const uint8_t *at, const uint8_t *end, int byte) {
    return at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;
}

/* Do the same as `find` where the byte is expected within a few bytes: a call of memchr costs more than they do. */
static inline const uint8_t *find_near(const uint8_t *at, const uint8_t *end, uint8_t byte) {
    for (; at < end; at++) {
        if (*at == byte) return at;
    }
    return NULL;
}

/* Return whether an odd number of backslashes from `start` on is before the quote at `at`: they escape it. */
static inline bool is_quote_escaped(const uint8_t *start, const uint8_t *at) {
    const uint8_t *run = at;
    while (run > start && run[-1] == '\\') run--;
    return (at - run) % 2 != 0;
}

/* Find a quote that is not escaped. */
static inline const uint8_t *find_quote(const uint8_t *at, const uint8_t *end) {
    for (const uint8_t *start = at; (at = find(at, end, '"')) != NULL; at++) {
        if (!is_quote_escaped(start, at)) return at;
    }
    return NULL;
}

#endif
