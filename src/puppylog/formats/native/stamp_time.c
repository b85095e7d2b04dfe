/* Reads the time of a day and the zone of a stamp: see stamp_time.py. */
#include "clock.h"
#include "stamp.h"
#include "zones.h"

enum { MAX_ZONE_LENGTH = 5, MAX_ZONE_HOUR = 14, MAX_CITY_LENGTH = 40, MAX_REMARK_LENGTH = 59 };

typedef struct {
    const char *name;
    int zone_m;
} Zone;

#define AS_ZONE(name, zone_m) {#name, zone_m},
#define AS_NAME(name) #name,

static const Zone KNOWN[] = {ZONES(AS_ZONE)};
static const char *const AMBIGUOUS[] = {AMBIGUOUS_ZONES(AS_NAME)};
static const char *const AREAS[] = {ZONE_AREAS(AS_NAME)};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_capital_at(const uint8_t *at, const uint8_t *end) { return at < end && *at >= 'A' && *at <= 'Z'; }

static bool is_word_at(const uint8_t *at, const uint8_t *end) { return at < end && is_alphanumeric(*at); }

/* Return the size of the blank at `at`, which may be one of those that do not break a line; 0 if there is none. */
static int blank_size(const uint8_t *at, const uint8_t *end) {
    if (at < end && *at == ' ') return 1;
    if (end - at >= 2 && memcmp(at, "\xc2\xa0", 2) == 0) return 2;
    if (end - at >= 3 && memcmp(at, "\xe2\x80\xaf", 3) == 0) return 3;
    return 0;
}

/* Read AM or PM, if it follows; return false if there is no such hour. */
static bool read_half_day(StampParts *parts) {
    const uint8_t *at = parts->at, *end = parts->end;
    at += blank_size(at, end);
    if (at == end || ((*at | 0x20) != 'a' && (*at | 0x20) != 'p')) return true;
    bool is_afternoon = (*at++ | 0x20) == 'p', has_dot = at < end && *at == '.';
    if (has_dot) at++, at += blank_size(at, end);
    if (at == end || (*at | 0x20) != 'm' || is_word_at(at + 1, end)) return true;
    at++;
    if (has_dot && at < end && *at == '.') at++;
    parts->at = at;
    if (parts->hour > 12) return is_afternoon;
    if (parts->hour == 0) return !is_afternoon;
    parts->hour = parts->hour % 12 + (is_afternoon ? 12 : 0);
    return true;
}

void stamp_read_fraction(StampParts *parts) {
    const uint8_t *at = parts->at, *end = parts->end;
    if (at == end || (*at != '.' && *at != ',' && *at != ':')) return;
    int size = digit_run(at + 1, end, 64);
    const uint8_t *after = at + 1 + size;
    bool is_whole = size == 3 || size == 6 || size == 9;
    if (size == 0) return;
    if (*at == ':' && size != 3) return;
    if (*at == ',' && !is_whole && after < end && *after == ',') return; /* the next field of a line of CSV */
    clock_fraction(at + 1, after, &parts->fraction_us);
    parts->fraction_digits = size;
    parts->at = after;
}

bool stamp_read_compact_clock(StampParts *parts) {
    const uint8_t *at = parts->at;
    if (digit_run(at, parts->end, 7) != 6) return false;
    parts->hour = number_of(at, 2);
    parts->minute = number_of(at + 2, 2);
    parts->second = number_of(at + 4, 2);
    parts->at = at + 6;
    stamp_read_fraction(parts);
    return true;
}

bool stamp_read_unpadded_clock(StampParts *parts) {
    const uint8_t *at = parts->at, *end = parts->end;
    int numbers[4];
    for (int place = 0; place < 4; place++) {
        int most = place < 3 ? 2 : 3, size = digit_run(at, end, most + 1);
        if (size == 0 || size > most) return false;
        numbers[place] = number_of(at, size);
        at += size;
        if (place < 3 && (at == end || *at++ != ':')) return false;
    }
    parts->hour = numbers[0];
    parts->minute = numbers[1];
    parts->second = numbers[2];
    parts->fraction_us = numbers[3] * INT64_C(1000);
    parts->fraction_digits = 3;
    parts->at = at;
    return true;
}

bool stamp_read_clock(StampParts *parts, bool may_have_no_seconds) {
    const uint8_t *at = parts->at, *end = parts->end;
    int size = digit_run(at, end, 3);
    if (size == 0 || size == 3) return false;
    parts->hour = number_of(at, size);
    at += size;
    if (at == end || (*at != ':' && *at != '.' && *at != '-')) return false;
    uint8_t between = *at;
    parts->has_dots = between == '.';
    if (digit_run(at + 1, end, 3) != 2) return false;
    parts->minute = number_of(at + 1, 2);
    at += 3;
    if (at < end && *at == between && digit_run(at + 1, end, 3) == 2) {
        parts->second = number_of(at + 1, 2);
        parts->at = at + 3;
        stamp_read_fraction(parts);
    } else if (may_have_no_seconds && between == ':') {
        parts->at = at;
    } else {
        return false;
    }
    return read_half_day(parts);
}

/* Return the zone with this name; NULL if there is none. Most words after a time are levels such as INFO, and differ
 * from all names in the last letter. */
static const Zone *find_zone(const uint8_t *name, size_t size) {
    if (size == 0 || size > MAX_ZONE_LENGTH || strchr("TCKDBAZ", name[size - 1]) == NULL) return NULL;
    for (size_t place = 0; place < COUNT(KNOWN); place++) {
        const char *known = KNOWN[place].name;
        if (known[0] == (char)name[0] && strlen(known) == size && memcmp(known, name, size) == 0) return &KNOWN[place];
    }
    return NULL;
}

static bool is_one_of_names(const uint8_t *name, size_t size, const char *const *names, size_t count) {
    for (size_t place = 0; place < count; place++) {
        if (strlen(names[place]) == size && memcmp(names[place], name, size) == 0) return true;
    }
    return false;
}

/* Return the end of the offset at `at`, and set its minutes; NULL if there is none. */
static const uint8_t *read_offset(StampParts *parts, const uint8_t *at, int min_digits, int *zone_m) {
    const uint8_t *end = parts->end;
    if (at == end || (*at != '+' && *at != '-')) return NULL;
    int size = digit_run(at + 1, end, 5), hour, minute = 0;
    const uint8_t *after = at + 1 + size;
    bool has_colon = size <= 2 && after < end && *after == ':' && digit_run(after + 1, end, 3) == 2;
    if (size == 4) {
        hour = number_of(at + 1, 2);
        minute = number_of(at + 3, 2);
    } else if (size == 2 || (size == 1 && min_digits == 1)) {
        if (!has_colon && size < min_digits) return NULL;
        hour = number_of(at + 1, size);
        if (has_colon) minute = number_of(after + 1, 2), after += 3;
    } else if (size == 3 && min_digits == 2) { /* DB2 writes minutes; others mean nothing known */
        parts->is_wrong |= !parts->has_dots;
        hour = number_of(at + 1, 3) / 60;
        minute = number_of(at + 1, 3) % 60;
    } else {
        return NULL;
    }
    if (!ends_stamp_at(after, end)) return NULL;
    parts->is_wrong |= hour > MAX_ZONE_HOUR || minute > 59;
    *zone_m = (hour * 60 + minute) * (*at == '-' ? -1 : 1);
    return after;
}

/* Return the end of a name such as Europe/Berlin at `at`; NULL if there is none. */
static const uint8_t *read_city(const uint8_t *at, const uint8_t *end) {
    const uint8_t *slash = at;
    while (slash < end && is_alphanumeric(*slash)) slash++;
    if (slash == end || *slash != '/') return NULL;
    if (!is_one_of_names(at, (size_t)(slash - at), AREAS, COUNT(AREAS))) return NULL;
    const uint8_t *after = slash + 1;
    while (after < end && after - slash < MAX_CITY_LENGTH &&
           (is_alphanumeric(*after) || strchr("_+-/", *after) != NULL) && *after != 0)
        after++;
    while (!is_alphanumeric(after[-1]) && after > slash + 1) after--;
    return is_capital_at(slash + 1, end) && !is_word_at(after, end) ? after : NULL;
}

static bool is_zone_name(const uint8_t *name, size_t size) {
    return find_zone(name, size) != NULL || is_one_of_names(name, size, AMBIGUOUS, COUNT(AMBIGUOUS));
}

/* Return the end of what may repeat the zone: " CET", " (CET)" or "[Europe/Berlin]". After a name and an offset, which
 * JavaScript writes, that may also be " (Central European Time)". */
static const uint8_t *skip_repeated(const uint8_t *at, const uint8_t *end, bool has_name) {
    if (at < end && *at == '[') {
        const uint8_t *after = read_city(at + 1, end);
        return after != NULL && after < end && *after == ']' ? after + 1 : at;
    }
    if (end - at < 3 || *at != ' ') return at;
    bool is_within = at[1] == '(';
    const uint8_t *start = at + 1 + is_within, *after = start;
    if (is_within && has_name) {
        while (after < end && (is_word_at(after, end) || *after == ' ') && after - start < MAX_REMARK_LENGTH) after++;
        if (after < end && *after == ')' && is_capital_at(start, end)) return after + 1;
        after = start;
    }
    while (is_capital_at(after, end)) after++;
    size_t size = (size_t)(after - start);
    if (is_within) return after < end && *after == ')' && is_zone_name(start, size) ? after + 1 : at;
    return size >= 2 && ends_stamp_at(after, end) && is_zone_name(start, size) ? after : at;
}

static void set_zone(StampParts *parts, const uint8_t *after, int zone_m) {
    parts->at = after;
    parts->has_zone = true;
    parts->zone_m = zone_m;
}

/* Read the name of a zone at `at`. */
static void read_name(StampParts *parts, const uint8_t *at) {
    const uint8_t *end = parts->end, *start = at;
    bool is_within = at < end && *at == '(';
    if (is_within) start = ++at;
    while (is_capital_at(at, end)) at++;
    size_t size = (size_t)(at - start);
    if (size == 0) return;
    const uint8_t *after = is_within ? at + 1 : at;
    if (is_within && !(at < end && *at == ')')) return;
    if (!is_within && is_word_at(at, end)) {
        after = read_city(start, end);
        if (after == NULL) return;
        parts->zone = span_of(start, after);
        parts->at = after;
        return;
    }
    const Zone *zone = find_zone(start, size);
    int zone_m;
    if (zone != NULL) {
        bool is_universal = zone->zone_m == 0 && *start != 'W' && *start != 'Z';
        const uint8_t *offset_end = is_universal && !is_within ? read_offset(parts, after, 1, &zone_m) : NULL;
        if (offset_end != NULL) set_zone(parts, skip_repeated(offset_end, end, true), zone_m);
        else if (ends_stamp_at(after, end)) set_zone(parts, after, zone->zone_m);
    } else if (ends_stamp_at(after, end) && is_one_of_names(start, size, AMBIGUOUS, COUNT(AMBIGUOUS))) {
        parts->zone = span_of(start, at);
        parts->at = after;
    }
}

void stamp_read_zone(StampParts *parts) {
    const uint8_t *at = parts->at, *end = parts->end;
    if (at == end) return;
    if ((*at == 'Z' || *at == 'z') && ends_stamp_at(at + 1, end)) {
        set_zone(parts, skip_repeated(at + 1, end, false), 0);
        return;
    }
    bool has_blank = *at == ' ';
    at += has_blank;
    int zone_m;
    const uint8_t *after = read_offset(parts, at, has_blank ? 3 : 2, &zone_m);
    if (after != NULL) set_zone(parts, skip_repeated(after, end, false), zone_m);
    else read_name(parts, at);
}
