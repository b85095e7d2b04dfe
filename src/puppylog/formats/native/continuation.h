/* Tells lines that continue a record by their form: see continuation.py. */
#ifndef PUPPYLOG_CONTINUATION_H
#define PUPPYLOG_CONTINUATION_H

#include "scan.h"
#include "stamp.h"

/* Return whether the line is indented, closes a bracket, or is of a stack trace. */
static inline bool is_continuation(Span line) {
    if (line.size == 0) return false;
    const uint8_t *end = line.at + line.size;
    switch (line.at[0]) {
    case ' ':
    case '\t':
    case ')':
    case ']':
    case '}': return true;
    case 'C': return starts_with(line.at, end, "Caused by: ");
    case 'S': return starts_with(line.at, end, "Suppressed: ");
    case '.': break;
    default: return false;
    }
    if (!starts_with(line.at, end, "... ")) return false;
    size_t place = 4;
    while (place < line.size && is_digit(line.at[place])) place++;
    return place > 4 && place < line.size && line.at[place] == ' ';
}

/* Return whether one of the first eight bytes of the line is a dot. */
static inline bool has_early_dot(Span line) {
    if (line.size < 8) return false;
    uint64_t others = word_of(line.at) ^ EACH_BYTE('.');
    return ((others - EACH_BYTE(1)) & ~others & EACH_BYTE(0x80)) != 0;
}

/* Return whether the line begins with the name of an exception. The first eight bytes of the name have a dot, unless the
 * line is within a stack trace. */
static inline bool is_exception(Span line, bool is_in_trace) {
    static const char *const ENDS[] = {"Error", "Exception", "Throwable", "Exit", "Interrupt", "Warning"};
    if (!is_in_trace && !has_early_dot(line)) return false;
    size_t size = 0;
    while (size < line.size && (is_alphanumeric(line.at[size]) || is_one_of(line.at[size], "_.$"))) size++;
    if (size < line.size && line.at[size] != ':') return false;
    for (size_t place = 0; place < sizeof ENDS / sizeof *ENDS; place++) {
        size_t end = strlen(ENDS[place]);
        if (size >= end && memcmp(line.at + size - end, ENDS[place], end) == 0) return true;
    }
    return false;
}

#endif
