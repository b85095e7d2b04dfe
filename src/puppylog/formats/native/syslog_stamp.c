/* The time at the start of a line, and the year of stamps that name none: syslog/stamp.py and syslog/calendar.py. */
#include "syslog.h"

enum { HALF_A_YEAR = 6 };

static int find_year(const Calendar *calendar, int month, int day) {
    if (calendar->day) {
        return calendar->year - (month > calendar->month || (month == calendar->month && day > calendar->day));
    }
    int ahead = month - calendar->month;
    return calendar->year + (ahead < -HALF_A_YEAR) - (ahead > HALF_A_YEAR);
}

/* Read `size` digits and move behind them; -1 if one of them is none. */
static int take_digits(const uint8_t **place, const uint8_t *until, int size) {
    if (until - *place < size) return -1;
    int number = 0;
    for (int digit = 0; digit < size; digit++) {
        if (!is_digit((*place)[digit])) return -1;
        number = number * 10 + ((*place)[digit] - '0');
    }
    *place += size;
    return number;
}

static bool take(const uint8_t **place, const uint8_t *until, char byte) {
    if (*place == until || **place != (uint8_t)byte) return false;
    ++*place;
    return true;
}

/* Read four digits and a blank; -1 and nothing read if they are not there. */
static int take_year(const uint8_t **place, const uint8_t *until) {
    const uint8_t *at = *place;
    int year = take_digits(&at, until, 4);
    if (year < 0 || !take(&at, until, ' ')) return -1;
    *place = at;
    return year;
}

static bool ends_stamp(const uint8_t *at, const uint8_t *until) { return ends_word(at, until) || *at == ':'; }

/* Read a blank and a year of these centuries behind the time; -1 and nothing read if it is not there. */
static int take_later_year(const uint8_t **place, const uint8_t *until) {
    const uint8_t *at = *place;
    if (!take(&at, until, ' ')) return -1;
    int year = take_digits(&at, until, 4);
    bool has_colon = at < until && *at == ':';
    if (year < 1900 || year > 2099 || !ends_word(at + has_colon, until)) return -1;
    *place = at;
    return year;
}

static void skip_weekday(const uint8_t **place, const uint8_t *until) {
    static const char NAMES[] = "MonTueWedThuFriSatSun";
    if (until - *place < 4 || (*place)[3] != ' ') return;
    for (int day = 0; day < 7; day++) {
        if (memcmp(*place, NAMES + 3 * day, 3) != 0) continue;
        *place += 4;
        return;
    }
}

/* Read a fraction of seconds if there is one; false if it has no digits. */
static bool take_fraction(const uint8_t **place, const uint8_t *until, int64_t *us) {
    *us = 0;
    if (!take(place, until, '.') && !take(place, until, ',')) return true;
    const uint8_t *since = *place;
    int64_t unit_us = 100000;
    for (; *place < until && is_digit(**place); ++*place, unit_us /= 10) *us += (**place - '0') * unit_us;
    return *place > since;
}

static Stamp read_bsd(Calendar *calendar, const uint8_t *at, const uint8_t *until, Found *found) {
    skip_weekday(&at, until);
    int year = take_year(&at, until);
    int month = until - at >= 3 ? clock_month(at) : 0;
    if (month == 0) return STAMP_NONE;
    at += 3;
    if (!take(&at, until, ' ')) return STAMP_NONE;
    take(&at, until, ' ');
    int day = until - at >= 2 && is_digit(at[1]) ? take_digits(&at, until, 2) : take_digits(&at, until, 1);
    if (day < 0 || !take(&at, until, ' ')) return STAMP_NONE;
    int middle_year = take_year(&at, until);
    if (year < 0) year = middle_year;
    int hour = take_digits(&at, until, 2);
    if (hour < 0 || !take(&at, until, ':')) return STAMP_NONE;
    int minute = take_digits(&at, until, 2);
    if (minute < 0 || !take(&at, until, ':')) return STAMP_NONE;
    int second = take_digits(&at, until, 2);
    int64_t fraction_us;
    if (second < 0 || !take_fraction(&at, until, &fraction_us) || !ends_stamp(at, until)) return STAMP_NONE;
    if (year < 0) year = take_later_year(&at, until);
    bool names_year = year >= 0;
    if (!names_year) year = find_year(calendar, month, day);
    if (clock_join(year, month, day, hour, minute, second, 0, &found->us) == STAMP_OUT_OF_RANGE) {
        return STAMP_OUT_OF_RANGE;
    }
    if (!names_year) *calendar = (Calendar){year, month, 0};
    found->us += fraction_us;
    found->is_local = true;
    found->is_iso = false;
    found->until = at;
    return STAMP_LOCAL;
}

Stamp syslog_stamp(Calendar *calendar, const uint8_t *at, const uint8_t *until, Found *found) {
    Stamp stamp = read_bsd(calendar, at, until, found);
    if (stamp != STAMP_NONE) return stamp;
    const uint8_t *end = word_end(at, until);
    if (end > at && end[-1] == ':') end--;
    stamp = clock_iso(span_of(at, end), &found->us);
    found->is_local = stamp == STAMP_LOCAL;
    found->is_iso = true;
    found->until = end;
    return stamp;
}
