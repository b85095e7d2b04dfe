/* Writes log records as lines of JSON. protobuf_request.py does the same in Python, and describes it. */
#ifndef PUPPYLOG_OTLP_RECORD_H
#define PUPPYLOG_OTLP_RECORD_H

#include "value.h"

enum { MAX_KEYS = 128 }; /* of a line; more of them are not regular */

typedef struct {
    Span at[MAX_KEYS];
    size_t count;
} Keys;

/* The members that all records of a scope have, and what the record before had. */
typedef struct {
    Out members;   /* each with a comma and a blank before it */
    Keys keys;     /* of these members */
    Keys before;   /* the keys of the record before, which differ from each other and from `keys` */
    bool is_known; /* whether there was a record before */
} Common;

/* The members of each severity, written in Python. Each has a byte with the number, a byte with the size of the text, the
 * text, a byte with the size of the members, and the members. */
typedef struct {
    Span table;
    uint8_t number; /* a severity that is not in the table, if `is_missing` */
    Span text;
    bool is_missing;
} Severities;

/* Add a member to `members`; return false if there are too many. */
bool add_text(Common *common, const char *key, Span text);
bool add_number(Common *common, const char *key, uint64_t number);
bool add_attribute(Common *common, Span content);

/* Return whether all keys of `keys` differ. */
bool differ(const Keys *keys);

/* Write a line with its newline; return false if the record is not regular, or its severity is missing. */
bool write_record(Out *out, Span content, Common *common, Severities *severities);

#endif
