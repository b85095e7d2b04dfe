/* The loop over the lines of a text, which all readers share. */
#ifndef PUPPYLOG_LINES_H
#define PUPPYLOG_LINES_H

#include "builder.h"

/* Read a line, given without its newline and without one carriage return before the newline. Either add its records and
 * return FITS; or return ROWLESS; or add no record and return the number of the reason to reject the line. */
typedef int ReadLine(Builder *builder, Span line, void *reading);

/* Calling a function for each line costs 2 to 6 % of the time, so each reader has a copy of the loop with its function
 * inlined. */
#define INLINED static inline __attribute__((always_inline))

/* Call `read_line` with each line of the text. */
INLINED void read_lines(Builder *builder, ReadLine *read_line, void *reading) {
    const uint8_t *newline;
    for (const uint8_t *line = builder->text; line < builder->end; line = newline + 1) {
        newline = memchr(line, '\n', (size_t)(builder->end - line));
        const uint8_t *end = newline - (newline > line && newline[-1] == '\r');
        int reason = read_line(builder, span_of(line, end), reading);
        if (reason == ROWLESS) builder->rowless++;
        else if (reason != FITS) builder_reject(builder, line, (uint8_t)reason);
    }
}

#endif
