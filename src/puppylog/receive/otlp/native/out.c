/* See out.h. */
#define PY_SSIZE_T_CLEAN
#include "out.h"

#include <Python.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void out_free(Out *out) {
    PyMem_RawFree(out->at);
    out->at = NULL;
    out->size = out->capacity = 0;
}

bool out_reserve(Out *out, size_t more) {
    if (out->failed) return false;
    if (out->capacity - out->size >= more) return true;
    size_t capacity = out->capacity * 2 > out->size + more ? out->capacity * 2 : out->size + more + 256;
    uint8_t *at = PyMem_RawRealloc(out->at, capacity);
    if (at == NULL) return !(out->failed = true);
    out->at = at;
    out->capacity = capacity;
    return true;
}

static const char SHORT_ESCAPES[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

void out_quoted(Out *out, Span text) {
    if (!out_reserve(out, 6 * text.size + 2)) return;
    uint8_t *to = out->at + out->size;
    *to++ = '"';
    for (size_t place = 0; place < text.size; place++) {
        uint8_t byte = text.at[place];
        if (byte >= 0x20 && byte != '"' && byte != '\\') {
            *to++ = byte;
            continue;
        }
        *to++ = '\\';
        if (byte >= 0x20) {
            *to++ = byte;
        } else if (byte < sizeof SHORT_ESCAPES && SHORT_ESCAPES[byte]) {
            *to++ = (uint8_t)SHORT_ESCAPES[byte];
        } else {
            memcpy(to, "u00", 3);
            to[3] = (uint8_t)"0123456789abcdef"[byte >> 4];
            to[4] = (uint8_t)"0123456789abcdef"[byte & 15];
            to += 5;
        }
    }
    *to++ = '"';
    out->size = (size_t)(to - out->at);
}

void out_unsigned(Out *out, uint64_t number) {
    char digits[20];
    size_t count = 0;
    do digits[sizeof digits - ++count] = (char)('0' + number % 10);
    while (number /= 10);
    out_bytes(out, digits + sizeof digits - count, count);
}

void out_integer(Out *out, int64_t number) {
    if (number < 0) out_text(out, "-");
    out_unsigned(out, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

bool out_double(Out *out, double number) {
    double size = fabs(number);
    if (!isfinite(number) || (size >= 1e16 && size < 1e17) || (size < DBL_MIN && size > 0)) return false;
    char text[32];
    for (int precision = size >= 1e15 && size < 1e16 ? 16 : 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, number);
        if (strtod(text, NULL) == number) break; /* the shortest text that is read as this number */
    }
    out_text(out, text);
    if (strpbrk(text, ".e") == NULL) out_text(out, ".0");
    return true;
}

void out_hex(Out *out, Span data) {
    if (!out_reserve(out, 2 * data.size)) return;
    for (size_t place = 0; place < data.size; place++) {
        out->at[out->size++] = (uint8_t)"0123456789abcdef"[data.at[place] >> 4];
        out->at[out->size++] = (uint8_t)"0123456789abcdef"[data.at[place] & 15];
    }
}

void out_base64(Out *out, Span data) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!out_reserve(out, data.size / 3 * 4 + 4)) return;
    for (size_t place = 0; place < data.size; place += 3) {
        size_t left = data.size - place;
        uint32_t bits = (uint32_t)data.at[place] << 16 | (left > 1 ? (uint32_t)data.at[place + 1] << 8 : 0) |
                        (left > 2 ? data.at[place + 2] : 0);
        out->at[out->size++] = (uint8_t)LETTERS[bits >> 18];
        out->at[out->size++] = (uint8_t)LETTERS[bits >> 12 & 63];
        out->at[out->size++] = left > 1 ? (uint8_t)LETTERS[bits >> 6 & 63] : '=';
        out->at[out->size++] = left > 2 ? (uint8_t)LETTERS[bits & 63] : '=';
    }
}
