/* Searches for single bytes in a line. */
#ifndef PUPPYLOG_SCAN_H
#define PUPPYLOG_SCAN_H

#include "builder.h"
#include "marks.h"

static inline bool is_digit(uint8_t byte) { return (uint8_t)(byte - '0') <= 9; }

/* Return whether the text begins at `at`. */
static inline bool starts_with(const uint8_t *at, const uint8_t *end, const char *text) {
    size_t size = strlen(text);
    return (size_t)(end - at) >= size && memcmp(at, text, size) == 0;
}

static inline const uint8_t *find(const uint8_t *at, const uint8_t *end, int byte) {
    return at < end ? memchr(at, byte, (size_t)(end - at)) : NULL;
}

/* Return whether one of the eight bytes is less than `limit`, which is at most 128. */
static inline bool has_less(uint64_t word, uint8_t limit) {
    return ((word - EACH_BYTE(limit)) & ~word & EACH_BYTE(0x80)) != 0;
}

/* Return a word whose lowest bit that is set is in the first of eight bytes that is a quote, a backslash or a control
 * character; 0 if there is none. Higher bits may be set for other bytes. */
static inline uint64_t special_bytes(const uint8_t *at) {
    const uint64_t highs = EACH_BYTE(0x80);
    uint64_t word = word_of(at), quotes = word ^ EACH_BYTE('"'), backslashes = word ^ EACH_BYTE('\\');
    uint64_t controls = (word - EACH_BYTE(0x20)) & ~word;
    return (((quotes - EACH_BYTE(1)) & ~quotes) | ((backslashes - EACH_BYTE(1)) & ~backslashes) | controls) & highs;
}

/* Return the first quote, backslash or control character from `at` on; `end` if there is none. */
static inline const uint8_t *find_special(const uint8_t *at, const uint8_t *end) {
#ifdef HAS_SSE2
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)at), last_control = _mm_set1_epi8(0x1F);
        __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i backslashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
        __m128i controls = _mm_cmpeq_epi8(_mm_max_epu8(bytes, last_control), last_control);
        int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, backslashes), controls));
        if (found) return at + lowest_bit((uint64_t)found);
    }
#endif
    for (; end - at >= 8; at += 8) {
        uint64_t found = special_bytes(at);
        if (found) return at + lowest_bit(found) / 8;
    }
    while (at < end && *at != '"' && *at != '\\' && *at >= 0x20) at++;
    return at;
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
