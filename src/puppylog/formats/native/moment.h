/* A record's time while its parts are read, by the steps of a layout; layout/moment.py says the same in Python. */
#ifndef PUPPYLOG_MOMENT_H
#define PUPPYLOG_MOMENT_H

#include "clock.h"

/* As in layout/program.py */
enum { SKIP, TEXT, USER, NUMBER, REQUEST, STATUS_CODE, BYTES, AGENT, STEM, QUERY, STAMP, ACCESS, ISO, EPOCH, YEAR,
       YEAR_OF_CENTURY, MONTH, MONTH_NAME, DAY, HOUR, HOUR_OF_TWELVE, HALF_DAY, MINUTE, SECOND, FRACTION, ZONE, DATE,
       TIME };
enum { SIZED, LITERAL, QUOTE, LIST, ADDRESS, BEFORE_PROTO, BEHIND_PROTO, SLASH, REST };
enum { EMPTY, NO_TEXT, OPEN_QUOTE, TIME_FORM, TIME_RANGE, NO_STATUS, NO_BYTES, MORE, NO_FIELDS, FEWER, MORE_FIELDS,
       FITS };

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
