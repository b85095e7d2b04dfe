/* Integers and instants as text. See cell.h. */
#include <string.h>

#include "cell.h"

#define US_PER_S INT64_C(1000000)
#define US_PER_DAY (86400 * US_PER_S)
#define YEAR_2_US (INT64_C(-718797) * US_PER_DAY)    /* 0002-01-01; Python has the years 1 to 9999, and a zone shifts */
#define YEAR_9999_US (INT64_C(2932532) * US_PER_DAY) /* 9999-01-01 */

bool has_year(int64_t us) { return us >= YEAR_2_US && us < YEAR_9999_US; }

uint8_t *put_integer(uint8_t *to, int64_t number) {
    uint8_t digits[24], *first = digits + sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do *--first = (uint8_t)('0' + rest % 10);
    while (rest /= 10);
    if (number < 0) *--first = '-';
    size_t size = (size_t)(digits + sizeof digits - first);
    memcpy(to, first, size);
    return to + size;
}

static uint8_t *put_digits(uint8_t *to, int64_t number, int digits) {
    for (int place = digits - 1; place >= 0; place--, number /= 10) to[place] = (uint8_t)('0' + number % 10);
    return to + digits;
}

/* A number of days since 1970-01-01 as a date. The year begins in March, so that a leap day is its last. */
static uint8_t *put_date(uint8_t *to, int64_t days) {
    days += 719468; /* from 0000-03-01 on */
    int64_t era = days / 146097, day_of_era = days % 146097;
    int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day + 2) / 153;
    day -= (153 * month + 2) / 5 - 1;
    month += month < 10 ? 3 : -9;
    to = put_digits(to, year + era * 400 + (month <= 2), 4);
    *to++ = '-';
    to = put_digits(to, month, 2);
    *to++ = '-';
    return put_digits(to, day, 2);
}

uint8_t *put_time(uint8_t *to, int64_t us, bool is_utc) {
    int64_t days = us / US_PER_DAY - (us % US_PER_DAY < 0);
    int64_t of_day = us - days * US_PER_DAY, second = of_day / US_PER_S, fraction = of_day % US_PER_S;
    to = put_date(to, days);
    *to++ = 'T';
    to = put_digits(to, second / 3600, 2);
    *to++ = ':';
    to = put_digits(to, second / 60 % 60, 2);
    *to++ = ':';
    to = put_digits(to, second % 60, 2);
    if (fraction) {
        *to++ = '.';
        to = put_digits(to, fraction, 6);
    }
    if (!is_utc) return to;
    memcpy(to, "+00:00", 6);
    return to + 6;
}
