/* Rows in the making: the columns of records as Arrow lays them out, and what is rejected.
 *
 * A reader looks at one line after another. For each it either fills a Row and calls builder_record, or calls
 * builder_reject; members of `attributes` are written in between, straight into their column. No function here needs
 * Python's lock. When memory runs out `failed` is set and everything else becomes harmless; the reader need not look.
 */
#ifndef PUPPYLOG_BUILDER_H
#define PUPPYLOG_BUILDER_H

#include "enums.h"
#include "memory.h"

#define NO_TIME INT64_MIN /* the line has no time */

/* Some bytes of the text, or of the scratch room; `at` may be NULL, which is nothing. */
typedef struct {
    const uint8_t *at;
    size_t size;
} Span;

/* One record. An empty text says nothing and becomes null. */
typedef struct {
    int64_t ts_us; /* microseconds since the epoch */
    bool is_local; /* the stamp names no zone: ts_us is what the clock on the wall showed */
    bool has_status, has_bytes;
    int16_t status;
    int64_t bytes;
    Span text[TEXTS];
} Row;

typedef struct {
    Bytes values;   /* numbers; or of texts the offsets (int32) */
    Bytes data;     /* the characters of texts */
    Bytes validity; /* one byte for each row here; packed at the end */
    size_t nulls;
} Column;

typedef struct {
    const uint8_t *text, *end; /* what is read */
    size_t rows, room;         /* there is room for so many rows in all that has one value for each */
    Bytes at, ts_us, is_local;
    Column texts[TEXTS], status, bytes, attributes;
    size_t rejects;
    Bytes rejected_at, rejected_until, reasons;
    size_t joined; /* lines that made no row */
    Bytes scratch;
    size_t members; /* of the line's attributes so far */
    bool failed;
} Builder;

/* Begin to read a text, with blocks of memory from `kept`, whose lock is held. */
void builder_begin(Builder *builder, const void *text, size_t size, Kept *kept);

/* Call `act` with each block of memory, its slot and `context`. */
void builder_each_block(Builder *builder, void (*act)(Bytes *bytes, int slot, void *context), void *context);

/* Add a record whose line starts at `line`, with the members written since the last record. */
void builder_record(Builder *builder, const uint8_t *line, const Row *row);

/* Reject the line that starts at `line`, and drop the members written for it. */
void builder_reject(Builder *builder, const uint8_t *line, uint8_t reason);

/* Forget the members written for this line. */
void builder_drop_members(Builder *builder);

/* Add a member to the line's attributes: its value a text, or JSON as it stands. The key is a text. */
void builder_text_member(Builder *builder, Span key, Span value);
void builder_json_member(Builder *builder, Span key, Span json);

/* For members with members of their own: write the opening, the members, the closing. builder_open_member returns a
 * mark; builder_close_member takes it back, and the whole member with it if nothing was written in between. */
typedef struct {
    size_t size, members;
} Mark;
Mark builder_open_member(Builder *builder, Span key);
void builder_close_member(Builder *builder, Mark mark);

/* Write a text as a JSON string, as quoting.py does; return where it ends. */
#define QUOTED_SIZE(size) (6 * (size) + 2)
uint8_t *write_quoted(uint8_t *to, Span text);

/* Return room for `size` bytes that stay where they are until the next call. */
uint8_t *builder_scratch(Builder *builder, size_t size);

static inline Span span_of(const uint8_t *since, const uint8_t *until) {
    return (Span){since, (size_t)(until - since)};
}

static inline Span span_of_text(const char *text) { return (Span){(const uint8_t *)text, strlen(text)}; }

static inline bool span_is(Span span, const char *text) {
    size_t size = strlen(text);
    return span.size == size && memcmp(span.at, text, size) == 0;
}

/* Nothing if the span holds only a dash: a log's word for what it does not know. */
static inline Span without_dash(Span span) {
    if (span.size == 1 && span.at[0] == '-') span.size = 0;
    return span;
}

#endif
