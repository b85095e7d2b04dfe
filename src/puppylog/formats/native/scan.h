/* Searches for single bytes in a line. */
#ifndef PUPPYLOG_SCAN_H
#define PUPPYLOG_SCAN_H

#include "builder.h"

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') <= 9; }

static inline const uint8_t *find(const uint8_t *at, const uint8_t *end, int byte) {
    return at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;
}

/* Find a quote that is not escaped. An odd number of backslashes before a quote escapes it. */
static inline const uint8_t *find_quote(const uint8_t *at, const uint8_t *end) {
    for (const uint8_t *start = at; (at = find(at, end, '"')) != NULL; at++) {
        if (at == start || at[-1] != '\\') return at;
        const uint8_t *run = at - 1;
        while (run > start && run[-1] == '\\') run--;
        if ((at - run) % 2 == 0) return at;
    }
    return NULL;
}

#endif
