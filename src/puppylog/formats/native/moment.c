#include "moment.h"

#include "scan.h"

enum { NO_BYTE = 0xFF }; /* a byte that is in no UTF-8 text */

void moment_clear(LastStamp *last) { memset(last->text, NO_BYTE, STAMP_SIZE); }

/* Return the number in `size` digits, the first of which may be a blank if `is_padded`; -1 for other bytes. */
static int digits(Span text, size_t at, size_t size, bool is_padded) {
    int number = 0;
    if (text.size < at + size) return -1;
    for (size_t place = at; place < at + size; place++) {
        if (is_padded && place == at && text.at[place] == ' ') continue;
        if (!is_digit(text.at[place])) return -1;
        number = number * 10 + (text.at[place] - '0');
    }
    return number;
}

static int take_two(Span text, int *part) {
    *part = digits(text, 0, 2, true);
    return text.size == 2 && *part >= 0 ? FITS : LAYOUT_TIME_FORM;
}

static int take_year(Span text, Moment *moment) {
    moment->year = digits(text, 0, 4, false);
    if (text.size != 4 || moment->year < 0) return LAYOUT_TIME_FORM;
    return moment->year == 0 ? LAYOUT_TIME_RANGE : FITS;
}

static int take_fraction(Span text, Moment *moment) {
    const uint8_t *end = text.at + text.size;
    return text.size && clock_fraction(text.at, end, &moment->fraction_us) == end ? FITS : LAYOUT_TIME_FORM;
}

static int take_zone(Span text, Moment *moment) {
    if (text.size != 5 || (text.at[0] != '+' && text.at[0] != '-')) return LAYOUT_TIME_FORM;
    int hour = digits(text, 1, 2, false), minute = digits(text, 3, 2, false);
    if (hour < 0 || minute < 0) return LAYOUT_TIME_FORM;
    if (hour > 14 || minute > 59) return LAYOUT_TIME_RANGE;
    moment->zone_m = (hour * 60 + minute) * (text.at[0] == '-' ? -1 : 1);
    moment->has_zone = true;
    return FITS;
}

static int take_date(Span text, Moment *moment) {
    if (text.size != 10 || text.at[4] != '-' || text.at[7] != '-') return LAYOUT_TIME_FORM;
    moment->month = digits(text, 5, 2, false);
    moment->day = digits(text, 8, 2, false);
    if (moment->month < 0 || moment->day < 0) return LAYOUT_TIME_FORM;
    return take_year((Span){text.at, 4}, moment);
}

static int take_time_of_day(Span text, Moment *moment) {
    const uint8_t *point = find(text.at, text.at + text.size, '.');
    Span time = point != NULL ? span_of(text.at, point) : text;
    if ((time.size != 5 && time.size != 8) || time.at[2] != ':') return LAYOUT_TIME_FORM;
    moment->hour = digits(time, 0, 2, false);
    moment->minute = digits(time, 3, 2, false);
    if (moment->hour < 0 || moment->minute < 0) return LAYOUT_TIME_FORM;
    if (time.size == 8) {
        moment->second = digits(time, 6, 2, false);
        if (time.at[5] != ':' || moment->second < 0) return LAYOUT_TIME_FORM;
    }
    return point != NULL ? take_fraction(span_of(point + 1, text.at + text.size), moment) : FITS;
}

static int take_half_day(Span text, Moment *moment) {
    if (text.size != 2 || (text.at[1] | 32) != 'm') return LAYOUT_TIME_FORM;
    int letter = text.at[0] | 32;
    if (letter != 'a' && letter != 'p') return LAYOUT_TIME_FORM;
    moment->half_day = letter == 'p';
    return FITS;
}

static int take_whole(LastStamp *last, int kind, Span text, Moment *moment) {
    if (kind == KIND_ACCESS) {
        if (text.size == STAMP_SIZE && memcmp(text.at, last->text, STAMP_SIZE) == 0) {
            moment->whole = STAMP_ZONED;
        } else {
            moment->whole = clock_access(text, &last->us);
            if (moment->whole == STAMP_ZONED) memcpy(last->text, text.at, STAMP_SIZE);
            else moment_clear(last);
        }
        moment->whole_us = last->us;
    } else {
        moment->whole = kind == KIND_ISO ? clock_iso(text, &moment->whole_us) : clock_epoch(text, &moment->whole_us);
    }
    if (moment->whole == STAMP_NONE) return LAYOUT_TIME_FORM;
    return moment->whole == STAMP_OUT_OF_RANGE ? LAYOUT_TIME_RANGE : FITS;
}

int moment_read(Moment *moment, int kind, Span text, LastStamp *last) {
    switch (kind) {
    case KIND_YEAR: return take_year(text, moment);
    case KIND_YEAR_OF_CENTURY:
        moment->year = digits(text, 0, 2, false);
        if (text.size != 2 || moment->year < 0) return LAYOUT_TIME_FORM;
        moment->year += moment->year >= 69 ? 1900 : 2000;
        return FITS;
    case KIND_MONTH: return take_two(text, &moment->month);
    case KIND_MONTH_NAME:
        moment->month = text.size >= 3 ? clock_month(text.at) : 0;
        return moment->month ? FITS : LAYOUT_TIME_FORM;
    case KIND_DAY: return take_two(text, &moment->day);
    case KIND_HOUR:
    case KIND_HOUR_OF_TWELVE: return take_two(text, &moment->hour);
    case KIND_HALF_DAY: return take_half_day(text, moment);
    case KIND_MINUTE: return take_two(text, &moment->minute);
    case KIND_SECOND: return take_two(text, &moment->second);
    case KIND_FRACTION: return take_fraction(text, moment);
    case KIND_ZONE: return take_zone(text, moment);
    case KIND_DATE: return take_date(text, moment);
    case KIND_TIME: return take_time_of_day(text, moment);
    default: return take_whole(last, kind, text, moment);
    }
}

int moment_resolve(const Moment *moment, bool has_parts, bool is_utc, Row *row) {
    if (moment->whole != STAMP_NONE) {
        row->ts_us = moment->whole_us + moment->fraction_us;
        row->is_local = moment->whole == STAMP_LOCAL;
        return FITS;
    }
    row->ts_us = NO_TIME;
    if (!has_parts || moment->year == 0) return FITS;
    int hour = moment->hour;
    if (moment->half_day >= 0) {
        if (hour < 1 || hour > 12) return LAYOUT_TIME_RANGE;
        hour = hour % 12 + 12 * moment->half_day;
    }
    Stamp stamp = clock_to_epoch_us(moment->year, moment->month, moment->day, hour, moment->minute, moment->second,
                                    moment->zone_m, &row->ts_us);
    if (stamp == STAMP_OUT_OF_RANGE) return LAYOUT_TIME_RANGE;
    row->ts_us += moment->fraction_us;
    row->is_local = !moment->has_zone && !is_utc;
    return FITS;
}
