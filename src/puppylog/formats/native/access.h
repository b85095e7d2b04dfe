/* Reads a line of an access log: see access/line.py. */
#ifndef PUPPYLOG_ACCESS_H
#define PUPPYLOG_ACCESS_H

#include "builder.h"
#include "quotes.h"

enum { ACCESS_STAMP_SIZE = 26 };

typedef struct {
    int variant;
    uint8_t stamp[ACCESS_STAMP_SIZE]; /* of the line before, because neighbouring lines mostly have the same stamp */
    int64_t stamp_us;
    Quotes quotes; /* of the line */
} AccessReader;

void access_open(AccessReader *reader);

/* Fill the row from a line, write the attributes, and return FITS; or write nothing and return the reason to reject the
 * line. */
int access_read(Builder *builder, AccessReader *reader, Span line, Row *row);

#endif
