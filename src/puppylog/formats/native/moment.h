/* A record's time while its parts are read, by the steps of a layout; layout/moment.py says the same in Python. */
#ifndef PUPPYLOG_MOMENT_H
#define PUPPYLOG_MOMENT_H

#include "clock.h"

enum { STAMP_SIZE = 26 };

/* The stamp of the line before, in an access log's form: neighbours mostly carry the same. */
typedef struct {
    uint8_t text[STAMP_SIZE];
    int64_t us;
} LastStamp;

typedef struct {
    int year, month, day, hour, minute, second, half_day, zone_m;
    int64_t fraction_us, whole_us;
    Stamp whole; /* STAMP_NONE until there is one */
    bool has_zone;
} Moment;

void moment_forget(LastStamp *last);

/* Take a part, by its kind; return FITS or what is wrong with it. */
int moment_take(Moment *moment, int kind, Span text, LastStamp *last);

/* Give the row its time, if there is one; `is_utc` says what a time without a zone is. Return FITS or TIME_RANGE. */
int moment_tell(const Moment *moment, bool has_parts, bool is_utc, Row *row);

#endif
