/* Builds rows: the columns of records in Arrow's layout, and rejected lines.
 *
 * For each line a reader either fills a Row and calls builder_record, or calls builder_reject. Before that, it may
 * write members of `attributes`, which go directly into their column. No function here needs Python's lock. If an
 * allocation fails, `failed` is set and the functions do nothing more, so that the reader need not check it.
 */
#ifndef PUPPYLOG_BUILDER_H
#define PUPPYLOG_BUILDER_H

#include "enums.h"
#include "memory.h"

#define NO_TIME INT64_MIN /* the value of ts_us for a line without a time */

/* Bytes of the text or of the scratch memory. `at` may be NULL if `size` is 0. */
typedef struct {
    const uint8_t *at;
    size_t size;
} Span;

/* One record. An empty text becomes null. */
typedef struct {
    int64_t ts_us; /* microseconds since the epoch */
    bool is_local; /* the stamp names no zone: ts_us is local time, counted as if in UTC */
    bool has_status, has_bytes;
    int16_t status;
    int64_t bytes;
    Span text[TEXTS];
} Row;

/* Begin a row without values. Of its texts only the sizes are set: to clear the whole block takes as long as to read 30
 * bytes of a line. */
static inline void row_begin(Row *row) {
    row->ts_us = NO_TIME;
    row->is_local = row->has_status = row->has_bytes = false;
    row->status = 0;
    row->bytes = 0;
    for (int text = 0; text < TEXTS; text++) row->text[text].size = 0;
}

typedef struct {
    Bytes values;   /* numbers, or the offsets of texts (int32) */
    Bytes data;     /* the bytes of texts */
    Bytes validity; /* a byte for each row: 1, or 0 for null; finish() packs them into bits */
    size_t rows;    /* rows from this one to the current one are null, and not written yet */
    size_t nulls;   /* without those */
} Column;

enum {
    MAX_RECORD_LINES = 1000,       /* a record that has so many lines or bytes gets no further continuation line */
    MAX_RECORD_BYTES = 256 * 1024, /* of the lines with their newlines */
    MIN_RUN = 5,                   /* shorter runs of continuation lines are not kept */
    MAX_RUNS = 16                  /* later runs are not kept */
};

/* Consecutive continuation lines. Blank lines between them do not count. */
typedef struct {
    size_t start; /* the offset in bytes of the first line in the text */
    size_t lines;
} Run;

enum { MAX_KEYS = 16, MAX_WATCHED_KEY_LENGTH = 32 };

/* The keys of the attributes of a line, while a record in its message is read: no two of them may be equal. */
typedef struct {
    bool is_watched;
    bool is_inner;        /* the record in the message is read now */
    bool has_time;        /* that record has the key `time` */
    int depth, count;     /* `depth`: how many members are open */
    Span outer[MAX_KEYS]; /* the first keys of the line itself; longer ones are left out */
} Keys;

typedef struct {
    const uint8_t *text, *end; /* the text to read */
    bool joins;                /* lines that do not begin a record belong to the record before */
    size_t rows, capacity;     /* blocks with one value for each row have memory for `capacity` rows */
    Bytes starts, ts_us, is_local;
    Column texts[TEXTS], status, bytes, attributes;
    size_t rejects;
    Bytes rejected_starts, rejected_ends, reasons;
    size_t rowless; /* the number of directives and blank lines */
    size_t blanks;  /* the number of consecutive lines without a row that end at `blanks_end` */
    const uint8_t *blanks_end;
    size_t joined;       /* the number of continuation lines, blank lines between them included */
    size_t orphans;      /* the number of records that begin with a continuation line */
    size_t record_lines; /* the number of lines of the record that was continued last */
    size_t joined_to;    /* the number of rows and rejects when a line was joined last */
    Run run;             /* the current run, or the last one */
    Run runs[MAX_RUNS];  /* ended runs */
    size_t run_count;
    Bytes scratch;
    size_t members; /* the number of members written for the current line */
    Keys keys;
    size_t members_start;   /* the place in the data of `attributes` at which they start */
    size_t ambiguous_zones; /* the number of records whose stamp names a zone that can mean several */
    size_t parts; /* the number of lines that are a part of a longer line of a container, and not the last part */
    bool failed;
    bool is_damaged; /* the text is not UTF-8 */
} Builder;

/* Start to read a text, with blocks of memory from `kept`. The caller holds the lock of `kept`. */
void builder_begin(Builder *builder, const void *text, size_t size, Kept *kept);

/* Call `act` for each block of memory, with its slot and `context`. */
void builder_each_block(Builder *builder, void (*act)(Bytes *bytes, int slot, void *context), void *context);

/* Write the rows of the column that are null and not written yet, unless the whole column is null. Call it when all
 * records were added. */
void builder_end_texts(Builder *builder, Column *column);

/* Add a record whose line starts at `line`, with the members written after the record before. */
void builder_record(Builder *builder, const uint8_t *line, const Row *row);

/* Reject the line that starts at `line`, and discard the members written for it. */
void builder_reject(Builder *builder, const uint8_t *line, uint8_t reason);

/* Count a line that makes no row; `line` includes its newline. */
void builder_skip(Builder *builder, Span line);

/* Append the line to the message of the last record, or to the last rejected line if that was later. Blank lines directly
 * before the line are appended, too. If there is no row before the line, or the row has the most lines or bytes already,
 * the line becomes a record without a time, whose message is the line. */
void builder_continue(Builder *builder, Span line);

/* Append a text to the message of the last record, of which `line` is a continuation line, as a line of its own or not.
 * Return false, and change nothing, if the last row is no record, or if it has the most lines or bytes already. */
bool builder_append(Builder *builder, Span line, Span text, bool is_line);

/* Add a member to the attributes of the last record, of which `line` is a continuation line, or, without a key, append the
 * value to the last member, which is a text. Blank lines directly before the line are appended to it, too. Return false,
 * and change nothing, if the last row is no record, or if it has the most lines or bytes already. */
bool builder_join_member(Builder *builder, Span line, Span key, Span value);

/* End the current run of continuation lines. Call it when all lines were read. */
void builder_end_run(Builder *builder);

/* Discard the members written for the current line. */
void builder_drop_members(Builder *builder);

/* Add a member to the attributes of the line. The key is a text; the value is a text, or JSON. */
void builder_text_member(Builder *builder, Span key, Span value);
void builder_json_member(Builder *builder, Span key, Span json);

/* Write a member that is an object: call builder_open_member, write its members, call builder_close_member with the
 * mark that builder_open_member returned. The member is discarded if it has no members. */
typedef struct {
    size_t size, members;
    int keys;
} Mark;
Mark builder_open_member(Builder *builder, Span key);
void builder_close_member(Builder *builder, Mark mark);

/* Return the place after the members that are written; discard the members that were written after a place. */
Mark builder_mark(const Builder *builder);
void builder_return_to(Builder *builder, Mark mark);

/* Watch the keys of the line that begins. Until `keys.is_inner` is set they are those of the line itself. From then on
 * a key that the line has gets `inner_` before it. */
static inline void builder_watch_keys(Builder *builder) {
    Keys *keys = &builder->keys;
    keys->is_watched = true;
    keys->is_inner = keys->has_time = false;
    keys->depth = keys->count = 0;
}

/* Write a text as a JSON string, as quoting.py does; return the end of the string. */
#define QUOTED_SIZE(size) (6 * (size) + 2)
uint8_t *write_quoted(uint8_t *to, Span text);

/* Return memory for `size` bytes. It is valid until the next call. */
uint8_t *builder_scratch(Builder *builder, size_t size);

static inline Span span_of(const uint8_t *start, const uint8_t *end) { return (Span){start, (size_t)(end - start)}; }

static inline Span span_of_text(const char *text) { return (Span){(const uint8_t *)text, strlen(text)}; }

static inline bool span_is(Span span, const char *text) {
    size_t size = strlen(text);
    return span.size == size && memcmp(span.at, text, size) == 0;
}

/* Return the span, or an empty span if it is a dash: then the value is unknown. */
static inline Span without_dash(Span span) {
    if (span.size == 1 && span.at[0] == '-') span.size = 0;
    return span;
}

#endif
