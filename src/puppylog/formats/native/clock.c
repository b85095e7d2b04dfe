#include "clock.h"

enum {
    FIRST_YEAR = 2,
    LAST_YEAR = 9998
}; /* a zone may move a time into the next year, and Python has the years 1 to 9999 */
enum { MAX_ZONE_HOUR = 14, MAX_SECOND = 60 };

/* Return the number in `size` digits; -1 if a byte is no digit. */
static inline int digits(const uint8_t *at, int size) {
    int number = 0;
    for (int place = 0; place < size; place++) {
        if (!is_digit(at[place])) return -1;
        number = number * 10 + (at[place] - '0');
    }
    return number;
}

/* Return whether the bytes of the word are digits where the mask is 0xFF. */
static inline bool are_digits(uint64_t word, uint64_t mask) {
    uint64_t values = word ^ EACH_BYTE('0'), above = (values & EACH_BYTE(0x7F)) + EACH_BYTE(0x7F - 9);
    return ((values | above) & EACH_BYTE(0x80) & mask) == 0;
}

/* Return the number in two digits. */
static inline int pair(const uint8_t *at) { return at[0] * 10 + at[1] - '0' * 11; }

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

/* Return the days from 1970-01-01 to the first day of a year. There are 719162 days from year 1 to 1970. */
static int64_t days_before_year(int year) {
    int64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

Stamp clock_to_epoch_us(int year, int month, int day, int hour, int minute, int second, int zone_m, int64_t *us) {
    static const int BEFORE_MONTH[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return STAMP_OUT_OF_RANGE;
    int leap_day = is_leap(year);
    int month_days = BEFORE_MONTH[month] - BEFORE_MONTH[month - 1] + (month == 2 ? leap_day : 0);
    if (day > month_days || hour > 23 || minute > 59 || second > MAX_SECOND) return STAMP_OUT_OF_RANGE;
    int64_t days = days_before_year(year) + BEFORE_MONTH[month - 1] + (month > 2 ? leap_day : 0) + day - 1;
    *us = (((days * 24 + hour) * 60 + minute - zone_m) * 60 + second) * 1000000;
    return STAMP_ZONED;
}

int clock_month(const uint8_t *name) {
    static const char NAMES[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++) {
        if (memcmp(name, NAMES + 3 * month, 3) == 0) return month + 1;
    }
    return 0;
}

Stamp clock_access(Span text, int64_t *us) {
    const uint8_t *at = text.at;
    if (text.size != 26 || at[2] != '/' || at[6] != '/' || at[11] != ':' || at[14] != ':' || at[17] != ':') {
        return STAMP_NONE;
    }
    if (at[20] != ' ' || (at[21] != '+' && at[21] != '-')) return STAMP_NONE;
    int day = digits(at, 2), month = clock_month(at + 3), year = digits(at + 7, 4), hour = digits(at + 12, 2);
    int minute = digits(at + 15, 2), second = digits(at + 18, 2);
    int zone_hour = digits(at + 22, 2), zone_minute = digits(at + 24, 2);
    if ((day | year | hour | minute | second | zone_hour | zone_minute) < 0 || month == 0) return STAMP_NONE;
    if (zone_hour > MAX_ZONE_HOUR || zone_minute > 59) return STAMP_OUT_OF_RANGE;
    int zone_m = (zone_hour * 60 + zone_minute) * (at[21] == '-' ? -1 : 1);
    return clock_to_epoch_us(year, month, day, hour, minute, second, zone_m, us);
}

/* Read a zone that is all of `text`: nothing, Z, or a sign and hh, hhmm or hh:mm, with or without a blank before. */
static Stamp read_zone(Span text, int *zone_m) {
    *zone_m = 0;
    const uint8_t *at = text.at;
    size_t size = text.size;
    if (size == 0) return STAMP_LOCAL;
    if (size == 1 && (at[0] == 'Z' || at[0] == 'z')) return STAMP_ZONED;
    if (at[0] == ' ') at++, size--;
    if (size < 3 || (at[0] != '+' && at[0] != '-')) return STAMP_NONE;
    int hour = digits(at + 1, 2), minute = 0;
    if (size == 5) minute = digits(at + 3, 2);
    else if (size == 6 && at[3] == ':') minute = digits(at + 4, 2);
    else if (size != 3) return STAMP_NONE;
    if ((hour | minute) < 0) return STAMP_NONE;
    if (hour > MAX_ZONE_HOUR || minute > 59) return STAMP_OUT_OF_RANGE;
    *zone_m = (hour * 60 + minute) * (at[0] == '-' ? -1 : 1);
    return STAMP_ZONED;
}

Stamp clock_iso(Span text, int64_t *us) {
    const uint8_t *at = text.at;
    if (text.size < 19 || (at[4] != '-' && at[4] != '/') || at[7] != at[4]) return STAMP_NONE;
    if ((at[10] != 'T' && at[10] != ' ' && at[10] != 't') || at[13] != ':' || at[16] != ':') return STAMP_NONE;
    if (!are_digits(word_of(at), 0x00FFFF00FFFFFFFFu) || !are_digits(word_of(at + 8), 0xFFFF00FFFF00FFFFu) ||
        !is_digit(at[17]) || !is_digit(at[18]))
        return STAMP_NONE;
    int year = pair(at) * 100 + pair(at + 2), month = pair(at + 5), day = pair(at + 8);
    int hour = pair(at + 11), minute = pair(at + 14), second = pair(at + 17);
    size_t place = 19;
    int64_t fraction_us = 0;
    if (place < text.size && (at[place] == '.' || at[place] == ',')) {
        size_t start = ++place;
        place = (size_t)(clock_fraction(at + start, at + text.size, &fraction_us) - at);
        if (place == start) return STAMP_NONE;
    }
    int zone_m;
    Stamp zone = read_zone((Span){at + place, text.size - place}, &zone_m);
    if (zone == STAMP_NONE || zone == STAMP_OUT_OF_RANGE) return zone;
    if (clock_to_epoch_us(year, month, day, hour, minute, second, zone_m, us) == STAMP_OUT_OF_RANGE)
        return STAMP_OUT_OF_RANGE;
    *us += fraction_us;
    return zone;
}

Stamp clock_epoch(Span text, int64_t *us) {
    uint64_t whole = 0;
    size_t place = 0;
    for (; place < text.size && is_digit(text.at[place]); place++) {
        if (place == 19) return STAMP_NONE;
        whole = whole * 10 + (uint64_t)(text.at[place] - '0');
    }
    if (place == 0) return STAMP_NONE;
    /* Seconds below 10^11 (the year 5138), milliseconds below 10^14, microseconds below 10^17, else nanoseconds. */
    int64_t unit_ns = whole < 100000000000u         ? 1000000000
                      : whole < 100000000000000u    ? 1000000
                      : whole < 100000000000000000u ? 1000
                                                    : 1;
    int64_t fraction_ns = 0;
    if (place < text.size) {
        if (text.at[place] != '.' || place + 1 == text.size) return STAMP_NONE;
        int64_t part_ns = unit_ns;
        for (place++; place < text.size; place++) {
            if (!is_digit(text.at[place])) return STAMP_NONE;
            part_ns /= 10;
            fraction_ns += (text.at[place] - '0') * part_ns;
        }
    }
    if (unit_ns >= 1000) *us = (int64_t)whole * (unit_ns / 1000) + fraction_ns / 1000;
    else *us = (int64_t)(whole / 1000);
    return STAMP_ZONED;
}
