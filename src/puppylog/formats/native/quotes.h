/* The quotes of a line, which are found together with its end. */
#ifndef PUPPYLOG_QUOTES_H
#define PUPPYLOG_QUOTES_H

#include "marks.h"
#include "scan.h"

enum { MAX_QUOTES = 32 }; /* further quotes of a line are searched for */

typedef struct {
    const uint8_t *places[MAX_QUOTES];
    int count;
    int next; /* all quotes before this one are before the last place that was searched from */
} Quotes;

/* Forget the quotes of the line before. */
static inline void quotes_clear(Quotes *quotes) { quotes->count = quotes->next = 0; }

/* Add the quotes of a block that are before its byte `end`, and clear their marks. */
static inline void quotes_add(Quotes *quotes, const uint8_t *block, uint64_t *marks, int end) {
    uint64_t before = end == BLOCK_SIZE ? *marks : *marks & (((uint64_t)1 << end) - 1);
    *marks &= ~before;
    for (; before && quotes->count < MAX_QUOTES; before &= before - 1) {
        quotes->places[quotes->count++] = block + lowest_bit(before);
    }
}

/* Find the first quote from `at` on, in a line that ends at `end`. To search from a place before the last one, set
 * `next` to 0. */
static inline const uint8_t *quotes_find(Quotes *quotes, const uint8_t *at, const uint8_t *end) {
    for (; quotes->next < quotes->count; quotes->next++) {
        if (quotes->places[quotes->next] >= at) return quotes->places[quotes->next];
    }
    return quotes->count < MAX_QUOTES ? NULL : find(at, end, '"');
}

/* Find the first quote from `at` on that is not escaped, as find_quote does. */
static inline const uint8_t *quotes_find_closing(Quotes *quotes, const uint8_t *at, const uint8_t *end) {
    for (const uint8_t *start = at; (at = quotes_find(quotes, at, end)) != NULL; at++) {
        if (!is_quote_escaped(start, at)) return at;
    }
    return NULL;
}

#endif
