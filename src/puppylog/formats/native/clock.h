/* Stamps as microseconds since the epoch; clock.py says the same in Python, and what each takes. */
#ifndef PUPPYLOG_CLOCK_H
#define PUPPYLOG_CLOCK_H

#include "builder.h"

typedef enum { STAMP_NONE, STAMP_OUT_OF_RANGE, STAMP_ZONED, STAMP_LOCAL } Stamp;

/* dd/Mon/yyyy:HH:MM:SS +zzzz, all of `text`: the time in an access log's brackets. */
Stamp clock_access(Span text, int64_t *us);

/* yyyy-mm-ddTHH:MM:SS[.fraction][zone], all of `text`. */
Stamp clock_iso(Span text, int64_t *us);

/* Digits, and perhaps a point and more: seconds, milli-, micro- or nanoseconds since the epoch, by their size. */
Stamp clock_epoch(Span text, int64_t *us);

/* The parts of an instant; a zone in minutes east of Greenwich. STAMP_OUT_OF_RANGE if there is no such day or time. */
Stamp clock_join(int year, int month, int day, int hour, int minute, int second, int zone_m, int64_t *us);

/* 1 to 12 for Jan to Dec at the span's first three characters; 0 for anything else. */
int clock_month(const uint8_t *name);

#endif
