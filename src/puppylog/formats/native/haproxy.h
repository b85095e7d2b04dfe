/* Reads a line of HAProxy: see haproxy.py. */
#ifndef PUPPYLOG_HAPROXY_H
#define PUPPYLOG_HAPROXY_H

#include "builder.h"

enum { HAPROXY_STAMP_SIZE = 20 };

/* The time of the line before, because neighbouring lines mostly have the same second. Set all to 0 to begin. */
typedef struct {
    uint8_t stamp[HAPROXY_STAMP_SIZE];
    int64_t us;
} HaproxyStamp;

/* Read a line without the head of syslog. Fill the row, write the attributes, and return FITS; or write nothing and
 * return the reason to reject the line. */
int haproxy_read(Builder *builder, Span line, HaproxyStamp *last, Row *row);

#endif
