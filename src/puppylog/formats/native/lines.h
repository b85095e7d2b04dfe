/* The loop over the lines of a text, which all readers share. */
#ifndef PUPPYLOG_LINES_H
#define PUPPYLOG_LINES_H

#include "builder.h"
#include "marks.h"
#include "quotes.h"
#include "utf8.h"

/* Read a line that is not blank, given without its newline and without one carriage return before the newline. Either add
 * its records and return FITS; or add no record and return ROWLESS, CONTINUES or the number of the reason to reject the
 * line. CONTINUES is allowed only if `builder->joins` is true. */
typedef int ReadLine(Builder *builder, Span line, void *reading);

/* Calling a function for each line costs 2 to 6 % of the time, so each reader has a copy of the loop with its function
 * inlined. */
#define INLINED static inline __attribute__((always_inline))

enum { PREFETCH_BYTES = 1024 }; /* the processor's own prefetching stops at the end of a page; this saves 4 % */

/* Return whether the line has only blanks, tabs and carriage returns. */
static inline bool is_blank_line(Span line) {
    size_t place = 0;
    while (place < line.size && (line.at[place] == ' ' || line.at[place] == '\t' || line.at[place] == '\r')) place++;
    return place == line.size;
}

/* Call `read_line` with each line of the text that is not blank. Stop at the first line that is not UTF-8, and set `builder->is_damaged`.
 * If `quotes` is not NULL, it has the quotes of the line during the call. */
INLINED void read_lines(Builder *builder, ReadLine *read_line, Quotes *quotes, void *reading) {
    const uint8_t *line = builder->text;
    bool has_wide = false; /* whether a byte of the line may be not ASCII */
    for (const uint8_t *block = line; block < builder->end; block += BLOCK_SIZE) {
        __builtin_prefetch(block + PREFETCH_BYTES);
        Marks marks = marks_of_part(block, (size_t)(builder->end - block));
        for (; marks.newlines; marks.newlines &= marks.newlines - 1) {
            int place = lowest_bit(marks.newlines);
            const uint8_t *newline = block + place, *end = newline - (newline > line && newline[-1] == '\r');
            if ((has_wide || marks.has_wide) && !is_utf8(span_of(line, newline))) {
                builder->is_damaged = true;
                return;
            }
            if (quotes != NULL) quotes_add(quotes, block, &marks.quotes, place);
            int reason = is_blank_line(span_of(line, end)) ? ROWLESS : read_line(builder, span_of(line, end), reading);
            if (reason == ROWLESS) builder_skip(builder, span_of(line, newline + 1));
            else if (reason == CONTINUES) builder_continue(builder, span_of(line, end));
            else if (reason != FITS) builder_reject(builder, line, (uint8_t)reason);
            if (quotes != NULL) quotes_clear(quotes);
            has_wide = false;
            line = newline + 1;
        }
        has_wide |= marks.has_wide;
        if (quotes != NULL) quotes_add(quotes, block, &marks.quotes, BLOCK_SIZE);
    }
}

#endif
