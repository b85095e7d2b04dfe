/* Reads lines of any kind: see plain.py. */
#include "clock.h"
#include "module.h"
#include "scan.h"
#include "severity.h"

enum { SHORTEST_WORD = 3, LONGEST_WORD = 13, SHORTEST_STAMP = 19 };

static inline bool is_capital(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }
static inline bool is_letter(uint8_t byte) { return is_capital(byte & 0xdf); }

static inline bool is_one_of(uint8_t byte, const char *bytes) { return byte != 0 && strchr(bytes, byte) != NULL; }

static bool has_digits(const uint8_t *at, const uint8_t *end, int size) {
    if (end - at < size) return false;
    for (int place = 0; place < size; place++) {
        if (!is_digit(at[place])) return false;
    }
    return true;
}

/* Return the end of the zone at `at`, or `at` if there is none. After a blank, a zone must have four digits, because
 * other numbers with a sign may follow a time. */
static const uint8_t *skip_zone(const uint8_t *at, const uint8_t *end) {
    if (at == end) return at;
    if (*at == 'Z' || *at == 'z') return at + 1;
    if (*at == ' ') {
        bool is_zone = end - at >= 6 && is_one_of(at[1], "+-") && has_digits(at + 2, end, 4);
        return is_zone ? at + 6 : at;
    }
    if (!is_one_of(*at, "+-") || !has_digits(at + 1, end, 2)) return at;
    const uint8_t *minutes = at + 3 < end && at[3] == ':' ? at + 4 : at + 3;
    return has_digits(minutes, end, 2) ? minutes + 2 : at + 3;
}

static bool ends_here(const uint8_t *at, const uint8_t *end) { return at == end || !(is_digit(*at) || is_letter(*at)); }

/* Read the time at `at` and return its end, or NULL if there is none. */
static const uint8_t *read_time(const uint8_t *at, const uint8_t *end, Row *row) {
    if (at < end && is_one_of(*at, "[(")) at++;
    if (end - at < SHORTEST_STAMP || !is_digit(*at)) return NULL;
    const uint8_t *stamp_end = at + SHORTEST_STAMP;
    if (stamp_end < end && is_one_of(*stamp_end, ".,") && has_digits(stamp_end + 1, end, 1)) {
        stamp_end++;
        while (stamp_end < end && is_digit(*stamp_end)) stamp_end++;
    }
    const uint8_t *zone_end = skip_zone(stamp_end, end);
    if (!ends_here(zone_end, end)) return NULL;
    int64_t ts_us;
    Stamp stamp = clock_iso(span_of(at, zone_end), &ts_us);
    if (stamp != STAMP_ZONED && stamp != STAMP_LOCAL) return NULL;
    row->ts_us = ts_us;
    bool is_universal = end - zone_end >= 4 && (memcmp(zone_end, " UTC", 4) == 0 || memcmp(zone_end, " GMT", 4) == 0);
    is_universal = is_universal && ends_here(zone_end + 4, end);
    row->is_local = stamp == STAMP_LOCAL && !is_universal;
    return is_universal ? zone_end + 4 : zone_end;
}

/* Read a severity after the time: a word in capitals, or a word in square brackets. */
static void read_severity(Builder *builder, const uint8_t *at, const uint8_t *end, Row *row) {
    if (at < end && is_one_of(*at, "])")) at++;
    bool is_bracketed = false;
    for (; at < end && is_one_of(*at, " \t|[(-"); at++) is_bracketed = *at == '[';
    const uint8_t *start = at;
    bool is_capitals = true;
    for (; at < end && is_letter(*at) && at - start <= LONGEST_WORD; at++) is_capitals &= is_capital(*at);
    if (at - start < SHORTEST_WORD || at - start > LONGEST_WORD) return;
    if (!ends_here(at, end) || (at < end && is_one_of(*at, "_-"))) return;
    if (!is_capitals && !(is_bracketed && at < end && *at == ']')) return;
    row_set_severity(builder, row, span_of(start, at));
}

static const char *const HEADERS[] = {
    "Software", "Version",     "Date",      "Start-Date",    "End-Date",    "Fields",
    "Remark",   "Time Format", "separator", "set_separator", "empty_field", "unset_field",
    "path",     "open",        "close",     "fields",        "types",
};

/* Return whether the line is a header of W3C or Zeek: see headers.py. */
static bool is_header(Span line) {
    if (line.size == 0 || line.at[0] != '#') return false;
    for (size_t place = 0; place < sizeof HEADERS / sizeof *HEADERS; place++) {
        size_t size = strlen(HEADERS[place]);
        bool is_named = line.size > size + 1 && memcmp(line.at + 1, HEADERS[place], size) == 0;
        if (is_named && is_one_of(line.at[size + 1], ": \t")) return true;
    }
    return false;
}

static bool has_start(Span line, const char *start) {
    size_t size = strlen(start);
    return line.size >= size && memcmp(line.at, start, size) == 0;
}

/* Return whether the line continues a record: it is indented, closes a bracket, or is of a stack trace. */
static bool is_continuation(Span line) {
    if (line.size == 0) return false;
    if (is_one_of(line.at[0], " \t)]}")) return true;
    if (line.at[0] == 'C') return has_start(line, "Caused by: ");
    if (line.at[0] == 'S') return has_start(line, "Suppressed: ");
    if (!has_start(line, "... ")) return false;
    size_t place = 4;
    while (place < line.size && is_digit(line.at[place])) place++;
    return place > 4 && place < line.size && line.at[place] == ' ';
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    (void)reading;
    if (is_header(line)) return ROWLESS;
    if (builder->joins && is_continuation(line)) return CONTINUES;
    const uint8_t *end = line.at + line.size;
    Row row = {.ts_us = NO_TIME, .text[MESSAGE] = line};
    const uint8_t *after = read_time(line.at, end, &row);
    if (after != NULL) read_severity(builder, after, end, &row);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_plain(PyObject *module, PyObject *arguments) { return read_joining(module, arguments, read_text); }
