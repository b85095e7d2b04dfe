/* Reads a time stamp of any style: see stamp.py. */
#ifndef PUPPYLOG_STAMP_H
#define PUPPYLOG_STAMP_H

#include "builder.h"
#include "calendar.h"

/* Which number of 03/04/2026 is the month, as far as the stamps before have shown it. */
enum { ORDER_UNKNOWN, ORDER_MONTH_FIRST, ORDER_DAY_FIRST, ORDER_MIXED };

/* What the stamps of a file say about each other. */
typedef struct {
    Calendar calendar; /* year 0: stamps without a year are refused */
    int order;
} Dating;

typedef struct {
    int64_t us;         /* microseconds since the epoch */
    bool is_local;      /* the stamp names no zone, or `zone` does: `us` is local time, counted as if in UTC */
    const uint8_t *end; /* after the stamp */
    Span zone;          /* a name with several meanings, such as CST, or Area/City; else empty */
} FoundStamp;

/* Read the stamp that begins at `at`; return false if there is none, or if it is refused. `dating` is updated. */
bool stamp_read(Dating *dating, const uint8_t *at, const uint8_t *end, FoundStamp *found);

/* The parts of a stamp while it is read. */
typedef struct {
    const uint8_t *at, *end;
    int year, month, day, hour, minute, second;
    int64_t fraction_us;
    int fraction_digits;
    int zone_m;     /* minutes east of UTC */
    bool has_zone;  /* the stamp has an offset, or a name with one meaning */
    bool has_dots;  /* between hour, minute and second */
    bool is_short;  /* the date is two numbers only */
    bool is_dashed; /* between the two */
    bool is_wrong;  /* the stamp has the offset of no zone */
    Span zone;
} StampParts;

enum { NO_YEAR = -1, LAST_YEAR_OF_2000S = 69 };

/* Move behind the name of a day, if there is one; return false if something other than a date follows it. */
bool stamp_skip_weekday(StampParts *parts);

/* Read a date, and move behind it; return false if there is none. A date without a year has NO_YEAR. */
bool stamp_year_first(StampParts *parts);
bool stamp_number_first(Dating *dating, StampParts *parts);
bool stamp_month_first(StampParts *parts);

/* Return whether the day of a date of two numbers is known, after the time was read. */
bool stamp_settle_short_date(Dating *dating, StampParts *parts);

/* Read the time of a day at `parts->at`, and move behind it; return false if there is none. */
bool stamp_read_clock(StampParts *parts, bool may_have_no_seconds);

/* Read six digits as hour, minute and second. */
bool stamp_read_compact_clock(StampParts *parts);

/* Read hour, minute, second and milliseconds without leading zeros; return false if there are no four numbers. */
bool stamp_read_unpadded_clock(StampParts *parts);

/* Read a fraction of a second, if there is one. */
void stamp_read_fraction(StampParts *parts);

/* Read a zone, if there is one. */
void stamp_read_zone(StampParts *parts);

static inline bool is_one_of(uint8_t byte, const char *bytes) { return byte != 0 && strchr(bytes, byte) != NULL; }

static inline uint8_t byte_at(const uint8_t *at, const uint8_t *end) { return at < end ? *at : 0; }

static inline int full_year(int year) { return year + (year <= LAST_YEAR_OF_2000S ? 2000 : 1900); }

static inline bool is_alphanumeric(uint8_t byte) {
    return (uint8_t)(byte - '0') <= 9 || (uint8_t)((byte | 0x20) - 'a') < 26;
}

/* Return the number of digits at `at`, at most `limit`. */
static inline int digit_run(const uint8_t *at, const uint8_t *end, int limit) {
    int size = 0;
    while (size < limit && at + size < end && (uint8_t)(at[size] - '0') <= 9) size++;
    return size;
}

/* Return the number in `size` digits. */
static inline int number_of(const uint8_t *at, int size) {
    int number = 0;
    for (int place = 0; place < size; place++) number = number * 10 + (at[place] - '0');
    return number;
}

/* Return whether a stamp can end at `at`: no word or number goes on there. */
static inline bool ends_stamp_at(const uint8_t *at, const uint8_t *end) {
    if (at >= end) return true;
    if (is_alphanumeric(*at)) return false;
    bool parts_numbers = *at == ':' || *at == '-' || *at == '.' || *at == '/' || *at == '+';
    return !(parts_numbers && at + 1 < end && (uint8_t)(at[1] - '0') <= 9);
}

#endif
