/* Text that grows. Nothing here needs Python's lock. */
#ifndef PUPPYLOG_OTLP_OUT_H
#define PUPPYLOG_OTLP_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the request. `at` may be NULL if `size` is 0. */
typedef struct {
    const uint8_t *at;
    size_t size;
} Span;

/* A text. If memory is exhausted, `failed` is set, and the functions below do nothing more. */
typedef struct {
    uint8_t *at;
    size_t size, capacity;
    bool failed;
} Out;

void out_free(Out *out);

/* Reserve memory for `more` bytes; return false if that fails. */
bool out_reserve(Out *out, size_t more);

static inline void out_bytes(Out *out, const void *data, size_t size) {
    if (size == 0 || !out_reserve(out, size)) return;
    memcpy(out->at + out->size, data, size);
    out->size += size;
}

static inline void out_text(Out *out, const char *text) { out_bytes(out, text, strlen(text)); }

/* Write a text as a JSON string, as Python's json does. */
void out_quoted(Out *out, Span text);

void out_integer(Out *out, int64_t number);
void out_unsigned(Out *out, uint64_t number);

/* Write a number as Python's repr does. Return false if its form is not known here: infinity, not a number, numbers
 * from 10^16 to 10^17, and those that are too small to be normalized. */
bool out_double(Out *out, double number);

void out_hex(Out *out, Span data);
void out_base64(Out *out, Span data);

#endif
