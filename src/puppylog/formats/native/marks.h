/* Compares 64 bytes of a text at once: where lines end, where quotes are, and whether all bytes are ASCII. */
#ifndef PUPPYLOG_MARKS_H
#define PUPPYLOG_MARKS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_SIZE = 64 };

/* A bit for each byte of a block; the lowest bit is for the first byte. */
typedef struct {
    uint64_t newlines, quotes;
    bool has_wide; /* a byte is not ASCII */
} Marks;

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Return eight bytes as a word; the first byte is the lowest one. */
static inline uint64_t word_of(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, sizeof word);
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

#if defined __SSE2__ && !defined PUPPYLOG_WITHOUT_SSE2 /* tests set the latter */
#define HAS_SSE2
#include <emmintrin.h>

static inline Marks marks_of(const uint8_t *block) {
    const __m128i newline = _mm_set1_epi8('\n'), quote = _mm_set1_epi8('"');
    __m128i all = _mm_setzero_si128();
    Marks marks = {0};
    for (int place = 0; place < BLOCK_SIZE; place += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(block + place));
        marks.newlines |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, newline)) << place;
        marks.quotes |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, quote)) << place;
        all = _mm_or_si128(all, bytes);
    }
    marks.has_wide = _mm_movemask_epi8(all) != 0;
    return marks;
}

#else

/* Gather the highest bit of each of eight bytes; the first byte is the lowest of the word. */
static inline uint64_t highest_bits(uint64_t word) { return ((word >> 7 & EACH_BYTE(1)) * 0x0102040810204080u) >> 56; }

/* Set the highest bit of each byte that is 0, and clear all other bits. */
static inline uint64_t zero_bytes(uint64_t word) {
    return ~(((word & EACH_BYTE(0x7F)) + EACH_BYTE(0x7F)) | word | EACH_BYTE(0x7F));
}

static inline Marks marks_of(const uint8_t *block) {
    uint64_t all = 0;
    Marks marks = {0};
    for (int place = 0; place < BLOCK_SIZE; place += 8) {
        uint64_t word = word_of(block + place);
        marks.newlines |= highest_bits(zero_bytes(word ^ EACH_BYTE('\n'))) << place;
        marks.quotes |= highest_bits(zero_bytes(word ^ EACH_BYTE('"'))) << place;
        all |= word;
    }
    marks.has_wide = (all & EACH_BYTE(0x80)) != 0;
    return marks;
}

#endif

/* Return the marks of at most 64 bytes. */
static inline Marks marks_of_part(const uint8_t *part, size_t size) {
    if (size >= BLOCK_SIZE) return marks_of(part);
    uint8_t block[BLOCK_SIZE] = {0};
    memcpy(block, part, size);
    return marks_of(block);
}

/* Return the number of the lowest bit that is set; `bits` is not 0. */
static inline int lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }

#endif
