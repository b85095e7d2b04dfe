/* Reads the time at the start of a message, and finds its year: see syslog/stamp.py and calendar.py. */
#include "syslog.h"

/* Read `size` digits and move after them; return -1 if a byte is no digit. */
static int take_digits(const uint8_t **place, const uint8_t *end, int size) {
    if (end - *place < size) return -1;
    int number = 0;
    for (int digit = 0; digit < size; digit++) {
        if (!is_digit((*place)[digit])) return -1;
        number = number * 10 + ((*place)[digit] - '0');
    }
    *place += size;
    return number;
}

static bool take(const uint8_t **place, const uint8_t *end, char byte) {
    if (*place == end || **place != (uint8_t)byte) return false;
    ++*place;
    return true;
}

/* Read four digits and a blank; return -1 and do not move if there are none. */
static int take_year(const uint8_t **place, const uint8_t *end) {
    const uint8_t *at = *place;
    int year = take_digits(&at, end, 4);
    if (year < 0 || !take(&at, end, ' ')) return -1;
    *place = at;
    return year;
}

static bool ends_stamp(const uint8_t *at, const uint8_t *end) { return ends_word(at, end) || *at == ':'; }

/* Read a blank and a year from 1900 to 2099 after the time; return -1 and do not move if there is none. */
static int take_later_year(const uint8_t **place, const uint8_t *end) {
    const uint8_t *at = *place;
    if (!take(&at, end, ' ')) return -1;
    int year = take_digits(&at, end, 4);
    bool has_colon = at < end && *at == ':';
    if (year < 1900 || year > 2099 || !ends_word(at + has_colon, end)) return -1;
    *place = at;
    return year;
}

/* Return whether a year and a tab follow the time: so programs write tables, but no syslog. */
static bool has_year_and_tab(const uint8_t *at, const uint8_t *end) {
    return end - at > 5 && at[5] == '\t' && *at++ == ' ' && take_digits(&at, end, 4) >= 0;
}

static void skip_weekday(const uint8_t **place, const uint8_t *end) {
    static const char NAMES[] = "MonTueWedThuFriSatSun";
    if (end - *place < 4 || (*place)[3] != ' ') return;
    for (int day = 0; day < 7; day++) {
        if (memcmp(*place, NAMES + 3 * day, 3) != 0) continue;
        *place += 4;
        return;
    }
}

/* Read a fraction of a second, if there is one; return false if it has no digits. */
static bool take_fraction(const uint8_t **place, const uint8_t *end, int64_t *us) {
    *us = 0;
    if (!take(place, end, '.') && !take(place, end, ',')) return true;
    const uint8_t *start = *place;
    *place = clock_fraction(start, end, us);
    return *place > start;
}

static Stamp read_bsd(Calendar *calendar, const uint8_t *at, const uint8_t *end, Found *found) {
    skip_weekday(&at, end);
    int year = take_year(&at, end);
    int month = end - at >= 3 ? clock_month(at) : 0;
    if (month == 0) return STAMP_NONE;
    at += 3;
    if (!take(&at, end, ' ')) return STAMP_NONE;
    take(&at, end, ' ');
    int day = end - at >= 2 && is_digit(at[1]) ? take_digits(&at, end, 2) : take_digits(&at, end, 1);
    if (day < 0 || !take(&at, end, ' ')) return STAMP_NONE;
    int middle_year = take_year(&at, end);
    if (year < 0) year = middle_year;
    int hour = take_digits(&at, end, 2);
    if (hour < 0 || !take(&at, end, ':')) return STAMP_NONE;
    int minute = take_digits(&at, end, 2);
    if (minute < 0 || !take(&at, end, ':')) return STAMP_NONE;
    int second = take_digits(&at, end, 2);
    int64_t fraction_us;
    if (second < 0 || !take_fraction(&at, end, &fraction_us) || !ends_stamp(at, end)) return STAMP_NONE;
    if (has_year_and_tab(at, end)) return STAMP_NONE;
    if (year < 0) year = take_later_year(&at, end);
    bool names_year = year >= 0;
    if (!names_year) year = calendar_find_year(calendar, month, day);
    if (clock_to_epoch_us(year, month, day, hour, minute, second, 0, &found->us) == STAMP_OUT_OF_RANGE) {
        return STAMP_OUT_OF_RANGE;
    }
    if (!names_year) calendar_remember(calendar, year, month);
    found->us += fraction_us;
    found->is_local = true;
    found->is_iso = false;
    found->end = at;
    return STAMP_LOCAL;
}

Stamp syslog_stamp(Calendar *calendar, const uint8_t *at, const uint8_t *end, Found *found) {
    Stamp stamp = read_bsd(calendar, at, end, found);
    if (stamp != STAMP_NONE) return stamp;
    const uint8_t *stamp_end = word_end(at, end);
    if (stamp_end > at && stamp_end[-1] == ':') stamp_end--;
    stamp = clock_iso(span_of(at, stamp_end), &found->us);
    found->is_local = stamp == STAMP_LOCAL;
    found->is_iso = true;
    found->end = stamp_end;
    return stamp;
}
