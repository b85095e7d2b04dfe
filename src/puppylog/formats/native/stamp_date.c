/* Reads the date of a time stamp: see stamp_date.py. */
#include "stamp.h"

enum { CENTURY = 100, SIZE_OF_TWO = 5 }; /* of 11.24; a version such as 1.24 is no date */

/* Return the size of the word `text` at `at`, whose case is ignored, if no letter follows; else 0. */
static size_t word_size(const uint8_t *at, const uint8_t *end, const char *text) {
    size_t size = strlen(text);
    if ((size_t)(end - at) < size) return 0;
    for (size_t place = 0; place < size; place++) {
        if ((at[place] | 0x20) != (uint8_t)text[place]) return 0;
    }
    return at + size < end && (uint8_t)((at[size] | 0x20) - 'a') < 26 ? 0 : size;
}

/* Read the name of a month, short or whole, and move behind it; return 1 to 12, or 0. */
static int take_month(StampParts *parts) {
    static const char *const NAMES[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
    const uint8_t *at = parts->at, *end = parts->end;
    if (end - at < 3) return 0;
    for (int month = 0; month < 12; month++) {
        if ((at[0] | 0x20) != NAMES[month][0] || (at[1] | 0x20) != NAMES[month][1]) continue;
        if ((at[2] | 0x20) != NAMES[month][2]) continue;
        size_t size = word_size(at, end, NAMES[month]);
        if (size == 0 && month == 8) size = word_size(at, end, "sept");
        if (size == 0 && !(end - at > 3 && (uint8_t)((at[3] | 0x20) - 'a') < 26)) size = 3;
        if (size == 0) return 0;
        parts->at += size;
        return month + 1;
    }
    return 0;
}

bool stamp_skip_weekday(StampParts *parts) {
    static const char *const NAMES[] = {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"};
    static const char *const SHORT_NAMES[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    const uint8_t *at = parts->at, *end = parts->end;
    for (int day = 0; day < 7; day++) {
        size_t size = word_size(at, end, SHORT_NAMES[day]);
        if (size == 0) size = word_size(at, end, NAMES[day]);
        if (size == 0) continue;
        at += size;
        if (byte_at(at, end) == ',') at++;
        if (byte_at(at, end) != ' ') return false;
        parts->at = at + 1;
        return true;
    }
    return true;
}

/* Read one or two digits, and move behind them; return -1 if there are none. */
static int take_number(StampParts *parts) {
    int size = digit_run(parts->at, parts->end, 3);
    if (size == 0 || size == 3) return -1;
    parts->at += size;
    return number_of(parts->at - size, size);
}

/* Read four digits, and move behind them; return -1 if there are no four. */
static int take_year(StampParts *parts) {
    if (digit_run(parts->at, parts->end, 5) != 4) return -1;
    parts->at += 4;
    return number_of(parts->at - 4, 4);
}

static bool take(StampParts *parts, uint8_t byte) {
    if (byte_at(parts->at, parts->end) != byte) return false;
    parts->at++;
    return true;
}

/* Read " 2026" or ", 2026" after a day and a month, if it follows. */
static void take_optional_year(StampParts *parts) {
    const uint8_t *start = parts->at;
    take(parts, ',');
    parts->year = take(parts, ' ') ? take_year(parts) : NO_YEAR;
    if (parts->year == NO_YEAR) parts->at = start;
}

/* Set day and month from two numbers of which one is the month; return false if the order is not known. */
static bool set_in_order(Dating *dating, StampParts *parts, int first, int second) {
    int order = dating->order;
    if (first > 12 || second > 12) {
        order = first > 12 ? ORDER_DAY_FIRST : ORDER_MONTH_FIRST;
        if (dating->order == ORDER_UNKNOWN) dating->order = order;
        else if (dating->order != order) dating->order = ORDER_MIXED;
    } else if (first != second && order != ORDER_MONTH_FIRST && order != ORDER_DAY_FIRST) {
        return false;
    }
    parts->month = order == ORDER_DAY_FIRST ? second : first;
    parts->day = order == ORDER_DAY_FIRST ? first : second;
    return true;
}

/* Read three numbers of at most two digits each: yy/mm/dd, yy-mm-dd or dd.mm.yy by custom, or with the month first. A
 * stamp that the other custom puts into the year of the file is refused. */
static bool set_short_date(Dating *dating, StampParts *parts, const int *numbers, bool has_dots) {
    int first = numbers[0], second = numbers[1], third = numbers[2], now = dating->calendar.year % CENTURY;
    if (!has_dots && first <= 12) {
        parts->year = full_year(third);
        return set_in_order(dating, parts, first, second);
    }
    int year = has_dots ? third : first, day = has_dots ? first : third;
    if (dating->calendar.year && year != now && day == now) return false;
    parts->year = full_year(year);
    parts->month = second;
    parts->day = day;
    return true;
}

/* Read a date that begins with four digits. */
bool stamp_year_first(StampParts *parts) {
    const uint8_t *start = parts->at;
    parts->year = take_year(parts);
    uint8_t between = byte_at(parts->at, parts->end);
    if (between == ' ' && digit_run(parts->at + 1, parts->end, 3) == 2 && byte_at(parts->at + 3, parts->end) == ':') {
        parts->year = NO_YEAR; /* mmdd of glog, whose times have six digits of a fraction */
        parts->month = number_of(start, 2);
        parts->day = number_of(start + 2, 2);
        return true;
    }
    if (!is_one_of(between, "-/.: ")) return false;
    parts->at++;
    if (between != '.' && between != ':') parts->month = take_month(parts);
    if (parts->month == 0) {
        if (between == ' ') return false;
        parts->month = take_number(parts);
    }
    if (!take(parts, between)) return false;
    if (between == ' ') take(parts, ' ');
    parts->day = take_number(parts);
    return parts->day >= 0 && parts->month >= 0;
}

/* Read the year after a day and the name of a month, of two or four digits; return false if there is none. */
static bool take_any_year(StampParts *parts) {
    int size = digit_run(parts->at, parts->end, 5);
    if (size == 4) parts->year = take_year(parts);
    else if (size == 2) parts->year = full_year(take_number(parts));
    else return false;
    return true;
}

/* Read a date that begins with one or two digits. */
bool stamp_number_first(Dating *dating, StampParts *parts) {
    const uint8_t *start = parts->at;
    int numbers[3] = {take_number(parts)};
    uint8_t between = byte_at(parts->at, parts->end);
    if (!is_one_of(between, "/-. ")) return false;
    parts->at++;
    if (between != '.' && (parts->month = take_month(parts)) != 0) {
        parts->day = numbers[0];
        if (between != ' ') return take(parts, between) && take_any_year(parts);
        take_optional_year(parts);
        return true;
    }
    numbers[1] = between != ' ' ? take_number(parts) : -1;
    if (numbers[1] < 0) return false;
    bool may_be_short = between != '.' || parts->at - start == SIZE_OF_TWO;
    if (may_be_short && byte_at(parts->at, parts->end) == ' ') {
        parts->year = NO_YEAR;
        parts->month = numbers[0];
        parts->day = numbers[1];
        parts->is_short = true;
        parts->is_dashed = between == '-';
        return true;
    }
    if (!take(parts, between)) return false;
    int size = digit_run(parts->at, parts->end, 5);
    if (size == 4) {
        parts->year = take_year(parts);
        if (between != '.') return set_in_order(dating, parts, numbers[0], numbers[1]);
        parts->day = numbers[0];
        parts->month = numbers[1];
        return true;
    }
    numbers[2] = size == 2 ? take_number(parts) : -1;
    return numbers[2] >= 0 && set_short_date(dating, parts, numbers, between == '.');
}

/* Read a date that begins with the name of a month: Nov 24, Nov 24 2026, November 24, 2026, Nov-24-2026, Nov-24-26. */
bool stamp_month_first(StampParts *parts) {
    parts->month = take_month(parts);
    if (parts->month == 0) return false;
    uint8_t between = byte_at(parts->at, parts->end);
    if (!is_one_of(between, " -/")) return false;
    parts->at++;
    if (between == ' ') take(parts, ' ');
    parts->day = take_number(parts);
    if (parts->day < 0) return false;
    if (between != ' ') return take(parts, between) && take_any_year(parts);
    take_optional_year(parts);
    return true;
}

/* Return whether the day of a stamp such as 11-24 10:00:00.123 is known. Android writes the month first, and three
 * digits of a fraction. */
bool stamp_settle_short_date(Dating *dating, StampParts *parts) {
    if (parts->is_dashed && parts->fraction_digits == 3) return true;
    return set_in_order(dating, parts, parts->month, parts->day);
}
