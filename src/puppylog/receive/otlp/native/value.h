/* Writes the values of OTLP as JSON. */
#ifndef PUPPYLOG_OTLP_VALUE_H
#define PUPPYLOG_OTLP_VALUE_H

#include "wire.h"

/* A KeyValue: its value is an AnyValue that is not read yet. */
typedef struct {
    Span key, value;
} Attribute;

/* Read a KeyValue; return false if it is not regular. */
bool read_attribute(Span content, Attribute *attribute);

/* What an AnyValue has: the number of its field, 0 if it has none. */
typedef enum {
    VALUE_NONE,
    VALUE_STRING,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_ARRAY,
    VALUE_MAP,
    VALUE_BYTES
} Kind;

/* Find the one value of an AnyValue; return false if it is not regular. */
bool find_value(Span any, Kind *kind, Field *field);

/* Write an AnyValue as JSON; return false if it is not regular. `depth` is the number of values around it. */
bool write_any(Out *out, Span any, int depth);

/* Write a value that find_value has found. */
bool write_found(Out *out, Kind kind, const Field *field, int depth);

#endif
