/* Parses stamps to microseconds since the epoch. clock.py does the same in Python. */
#ifndef PUPPYLOG_CLOCK_H
#define PUPPYLOG_CLOCK_H

#include "builder.h"
#include "scan.h"

typedef enum { STAMP_NONE, STAMP_OUT_OF_RANGE, STAMP_ZONED, STAMP_LOCAL } Stamp;

/* Parse dd/Mon/yyyy:HH:MM:SS +zzzz. The stamp must be all of `text`. */
Stamp clock_access(Span text, int64_t *us);

/* Parse yyyy-mm-ddTHH:MM:SS[.fraction][zone]. The stamp must be all of `text`. */
Stamp clock_iso(Span text, int64_t *us);

/* Parse a number of seconds, milli-, micro- or nanoseconds since the epoch, with or without a fraction. */
Stamp clock_epoch(Span text, int64_t *us);

/* Set the instant of these parts; `zone_m` is the zone's offset from UTC in minutes. Return STAMP_ZONED, or
 * STAMP_OUT_OF_RANGE if there is no such day or time. */
Stamp clock_to_epoch_us(int year, int month, int day, int hour, int minute, int second, int zone_m, int64_t *us);

/* Return 1 to 12 if the three bytes at `name` are Jan to Dec, else 0. */
int clock_month(const uint8_t *name);

/* Read the digits of a fraction of a second from `at` on, set it in microseconds, and return the end of the digits. Digits
 * after the sixth one are left out. */
static inline const uint8_t *clock_fraction(const uint8_t *at, const uint8_t *end, int64_t *us) {
    static const int32_t UNITS_US[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    enum { MOST = sizeof UNITS_US / sizeof *UNITS_US - 1 };
    const uint8_t *start = at, *last = end - at > MOST ? at + MOST : end;
    int32_t number = 0;
    while (at < last && is_digit(*at)) number = number * 10 + (*at++ - '0');
    *us = (int64_t)number * UNITS_US[at - start];
    if (at == last)
        while (at < end && is_digit(*at)) at++;
    return at;
}

#endif
