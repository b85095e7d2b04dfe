/* Assembles the time of a record from its parts. layout/moment.py does the same in Python. */
#ifndef PUPPYLOG_MOMENT_H
#define PUPPYLOG_MOMENT_H

#include "clock.h"

enum { STAMP_SIZE = 26 };

/* The stamp of the line before, in the form of access logs, because neighbouring lines mostly have the same stamp. */
typedef struct {
    uint8_t text[STAMP_SIZE];
    int64_t us;
} LastStamp;

typedef struct {
    int year, month, day, hour, minute, second, half_day, zone_m;
    int64_t fraction_us, whole_us;
    Stamp whole; /* STAMP_NONE if no whole stamp was read */
    bool has_zone;
} Moment;

void moment_clear(LastStamp *last);

/* Read a part of the time by its kind; return FITS or the reason to reject the line. */
int moment_read(Moment *moment, int kind, Span text, LastStamp *last);

/* Set the time of the row, or NO_TIME; `is_utc`: a time without a zone is in UTC. Return FITS or LAYOUT_TIME_RANGE. */
int moment_resolve(const Moment *moment, bool has_parts, bool is_utc, Row *row);

#endif
