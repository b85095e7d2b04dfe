/* Reads time stamps of any style: see stamp.py. */
#include "stamp.h"
#include "clock.h"

enum { MAX_RUN = 20, FIRST_SURE_YEAR = 1970, END_OF_SURE_YEARS = 2100, FIRST_LATER_YEAR = 1900 };

#define FIRST_EPOCH_S UINT64_C(1000000000) /* 2001-09-09: ten digits */
#define END_EPOCH_S UINT64_C(4102444800)   /* 2100-01-01 */
#define NS UINT64_C(1000000000)

/* TAI was ten seconds ahead in 1970, and daemontools count no leap second since. */
#define TAI64_EPOCH ((UINT64_C(1) << 62) + 10)

static bool is_sure_year(int year) { return year >= FIRST_SURE_YEAR && year < END_OF_SURE_YEARS; }

/* Move from the date to the time. */
static bool skip_between(StampParts *parts) {
    const uint8_t *at = parts->at, *end = parts->end;
    uint8_t byte = byte_at(at, end);
    if (is_one_of(byte, "Tt_:|-\t")) return parts->at++, true;
    if (byte == ']' && byte_at(at + 1, end) == '[') return parts->at += 2, true;
    if (byte == ',') at++;
    bool has_word = end - at >= 4 && memcmp(at, " at ", 4) == 0;
    if (has_word) at += 3;
    if (byte_at(at, end) == ' ') at++;
    if (byte_at(at, end) == ' ') at++;
    if (at == parts->at) return false;
    parts->at = at;
    return true;
}

/* Read yyyymmdd, yyyymmddHHMMSS or yymmdd, and the time after it. */
static bool read_compact(StampParts *parts, int size) {
    const uint8_t *at = parts->at;
    int digits = size == 6 ? 2 : 4;
    parts->year = size == 6 ? full_year(number_of(at, 2)) : number_of(at, 4);
    if (!is_sure_year(parts->year)) return false;
    parts->month = number_of(at + digits, 2);
    parts->day = number_of(at + digits + 2, 2);
    parts->at += digits + 4;
    if (size == 14) return stamp_read_compact_clock(parts);
    if (!skip_between(parts)) return false;
    if (stamp_read_compact_clock(parts)) return true;
    return (parts->at[-1] == '-' && stamp_read_unpadded_clock(parts)) || stamp_read_clock(parts, false);
}

/* Return whether the byte after an epoch goes on with a number or a name. */
static bool goes_on(const uint8_t *at, const uint8_t *end, bool has_fraction) {
    return at < end && (is_alphanumeric(*at) || is_one_of(*at, "_-./@+") || (*at == ':' && !has_fraction));
}

/* Read the seconds, milli-, micro- or nanoseconds since the epoch. */
static bool read_epoch(const uint8_t *at, const uint8_t *end, int size, FoundStamp *found) {
    uint64_t whole = 0, units = size == 10 ? 1 : size == 13 ? 1000 : size == 16 ? 1000000 : 1000000000;
    for (int place = 0; place < size; place++) whole = whole * 10 + (uint64_t)(at[place] - '0');
    if (whole / units < FIRST_EPOCH_S || whole / units >= END_EPOCH_S) return false;
    const uint8_t *after = at + size;
    int fraction = byte_at(after, end) == '.' ? digit_run(after + 1, end, MAX_RUN) : 0;
    if (fraction) after += 1 + fraction;
    if (goes_on(after, end, fraction > 0)) return false;
    return *found = (FoundStamp){.end = after}, clock_epoch(span_of(at, after), &found->us) == STAMP_ZONED;
}

static int hexadecimal_value(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Read digits of a number in hexadecimal; return false if one is missing. */
static bool read_hexadecimal(const uint8_t *at, int digits, uint64_t *number) {
    *number = 0;
    for (int place = 0; place < digits; place++) {
        int value = hexadecimal_value(at[place]);
        if (value < 0) return false;
        *number = *number << 4 | (uint64_t)value;
    }
    return true;
}

enum { SIZE_OF_TAI64N = 25, SIZE_OF_OPENLDAP = 17 };

/* Read @ and 24 digits of TAI64N, or the seconds and nanoseconds of OpenLDAP before an address. */
static bool read_label(const uint8_t *at, const uint8_t *end, FoundStamp *found) {
    uint64_t seconds, ns;
    const uint8_t *after;
    if (*at == '@') {
        after = at + SIZE_OF_TAI64N;
        if (end - at < SIZE_OF_TAI64N || at[1] != '4' || (after < end && is_alphanumeric(*after))) return false;
        if (!read_hexadecimal(at + 1, 16, &seconds) || !read_hexadecimal(at + 17, 8, &ns)) return false;
        seconds -= TAI64_EPOCH;
    } else {
        after = at + SIZE_OF_OPENLDAP;
        if (end - at < SIZE_OF_OPENLDAP + 4 || memcmp(after, " 0x", 3) != 0) return false;
        if (hexadecimal_value(after[3]) < 0) return false;
        if (!read_hexadecimal(at, 8, &seconds) || !read_hexadecimal(at + 9, 8, &ns)) return false;
    }
    if (seconds < FIRST_EPOCH_S || seconds >= END_EPOCH_S || ns >= NS) return false;
    *found = (FoundStamp){.us = (int64_t)(seconds * 1000000 + ns / 1000), .end = after};
    return true;
}

static bool may_be_label(const uint8_t *at, const uint8_t *end) {
    return byte_at(at, end) == '@' || (end - at > SIZE_OF_OPENLDAP && at[8] == '.' && at[SIZE_OF_OPENLDAP] == ' ');
}

/* Read the year after the time, and a zone after it. */
static bool read_later_year(StampParts *parts) {
    const uint8_t *at = parts->at, *end = parts->end;
    if (byte_at(at, end) != ' ' || digit_run(at + 1, end, 5) != 4 || !ends_stamp_at(at + 5, end)) return false;
    int year = number_of(at + 1, 4);
    if (year < FIRST_LATER_YEAR || year >= END_OF_SURE_YEARS) return false;
    parts->year = year;
    parts->at = at + 5;
    if (!parts->has_zone && parts->zone.size == 0) stamp_read_zone(parts);
    return true;
}

static bool finish(Dating *dating, StampParts *parts, FoundStamp *found) {
    stamp_read_zone(parts);
    bool has_no_year = parts->year == NO_YEAR && !read_later_year(parts);
    if (parts->is_wrong || !ends_stamp_at(parts->at, parts->end)) return false;
    if (parts->has_dots && parts->fraction_digits > 0 && parts->fraction_digits < 4) return false; /* an address */
    if (has_no_year) {
        if (dating->calendar.year == 0) return false;
        parts->year = calendar_find_year(&dating->calendar, parts->month, parts->day);
    }
    Stamp stamp = clock_to_epoch_us(parts->year, parts->month, parts->day, parts->hour, parts->minute, parts->second,
                                    parts->zone_m, &found->us);
    if (stamp == STAMP_OUT_OF_RANGE) return false;
    if (has_no_year) calendar_remember(&dating->calendar, parts->year, parts->month);
    found->us += parts->fraction_us;
    found->is_local = !parts->has_zone;
    found->zone = parts->zone;
    found->end = parts->at;
    return true;
}

/* Read the date and the time of day. */
static bool read_parts(Dating *dating, StampParts *parts, int digits) {
    if (digits == 6 || digits == 8 || digits == 14) return read_compact(parts, digits);
    bool is_read = digits == 0   ? stamp_month_first(parts)
                   : digits <= 2 ? stamp_number_first(dating, parts)
                   : digits == 4 ? stamp_year_first(parts)
                                 : false;
    bool may_have_no_seconds = parts->year != NO_YEAR && is_one_of(byte_at(parts->at, parts->end), "Tt ,");
    if (!is_read || !skip_between(parts) || !stamp_read_clock(parts, may_have_no_seconds)) return false;
    if (parts->is_short) return stamp_settle_short_date(dating, parts);
    return digits != 4 || parts->year != NO_YEAR || parts->fraction_digits == 6;
}

bool stamp_read(Dating *dating, const uint8_t *at, const uint8_t *end, FoundStamp *found) {
    StampParts parts = {.at = at, .end = end};
    int order = dating->order;
    if (may_be_label(at, end) && read_label(at, end, found)) return true;
    if (digit_run(at, end, 1) == 0 && !stamp_skip_weekday(&parts)) return false;
    int digits = digit_run(parts.at, end, MAX_RUN);
    bool is_epoch = digits == 10 || digits == 13 || digits == 16 || digits == 19;
    if (is_epoch) return parts.at == at && read_epoch(at, end, digits, found);
    if (read_parts(dating, &parts, digits) && finish(dating, &parts, found)) return true;
    dating->order = order;
    return false;
}
