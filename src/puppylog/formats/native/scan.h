/* Looking for single bytes in a line. */
#ifndef PUPPYLOG_SCAN_H
#define PUPPYLOG_SCAN_H

#include "builder.h"

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') <= 9; }

static inline const uint8_t *find(const uint8_t *at, const uint8_t *until, int byte) {
    return at < until ? memchr(at, byte, (size_t)(until - at)) : NULL;
}

/* A quote after an odd run of backslashes is escaped: it is part of a field. */
static inline const uint8_t *find_quote(const uint8_t *at, const uint8_t *until) {
    for (const uint8_t *since = at; (at = find(at, until, '"')) != NULL; at++) {
        if (at == since || at[-1] != '\\') return at;
        const uint8_t *run = at - 1;
        while (run > since && run[-1] == '\\') run--;
        if ((at - run) % 2 == 0) return at;
    }
    return NULL;
}

#endif
