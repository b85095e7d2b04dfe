/* Reads the parts of a line of PostgreSQL's log: what log_line_prefix writes, and the level. See postgresql/head.py. */
#ifndef PUPPYLOG_POSTGRESQL_H
#define PUPPYLOG_POSTGRESQL_H

#include "cursor.h"
#include "stamp.h"

enum { PG_MOST_STEPS = 32, PG_MOST_TRIES = 64, PG_LONGEST_HEAD = 512 };

/* A field of log_line_prefix, and the text after it. */
typedef struct {
    int field;
    bool is_padded; /* blanks may be on both sides of the value */
    Span literal;
} PgStep;

typedef struct {
    bool is_known; /* false: the prefix is whatever a line has before its level */
    Span literal;  /* the text before the first field */
    PgStep steps[PG_MOST_STEPS];
    int count;
    int optional; /* the fields from this one on are missing in lines of background processes */
} PgPrefix;

typedef struct {
    Span word;
    const char *severity; /* NULL for a part of the record before */
    const char *part;     /* NULL for a level */
    int number;           /* of the level or part */
    const uint8_t *end;   /* the start of the message */
} PgLevel;

typedef struct {
    bool has_time;
    FoundStamp time;
    Span values[PG_FIELDS];
    PgLevel level;
} PgHead;

/* Find the level or the part that the word means. */
bool pg_find_level(Span word, PgLevel *level);

/* Read `LEVEL:  ` at `at`. */
bool pg_read_level(const uint8_t *at, const uint8_t *end, PgLevel *level);

/* Return the end of `yyyy-mm-dd HH:MM:SS[.fraction][ zone]` at `at`, with its zone; NULL if there is no such text. */
const uint8_t *pg_find_stamp_end(const uint8_t *at, const uint8_t *end);

/* Read the stamp at `at`, which ends at `end` or before it. */
bool pg_read_stamp(const uint8_t *at, const uint8_t *end, FoundStamp *found);

/* Read what is before the message, by a log_line_prefix that is known, or in any form that is sure. */
bool pg_read_known(const PgPrefix *prefix, Span line, PgHead *head);
bool pg_read_any(Span line, PgHead *head);

/* Return whether the value is known: it is not empty, a dash, [unknown] or [local]. */
static inline bool pg_has_value(Span value) {
    return without_dash(value).size && !span_is(value, "[unknown]") && !span_is(value, "[local]");
}

/* Set the time of the row, or NO_TIME; write the attribute `zone` if the stamp names a zone of several meanings. */
void pg_write_time(Builder *builder, bool has_time, const FoundStamp *time, Row *row);

/* Set the severity, and write the attribute `severity_text` if the level has another word. */
void pg_write_severity(Builder *builder, const PgLevel *level, Row *row);

/* Return the host of `host(port)` or `host:port`, and set the port; an IPv6 address without a port stays whole. */
Span pg_split_client(Span remote, Span *port);

/* Fill the row, whose host is set, and write the attributes of a line. */
void pg_write_head(Builder *builder, const PgHead *head, Span port, Span message, Row *row);

/* Return the number in `duration: number ms`, with which a message begins; empty if it does not. */
Span pg_find_duration(Span message);

#endif
