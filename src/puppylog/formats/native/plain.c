/* Lines of any kind: see plain.py. */
#include "clock.h"
#include "module.h"
#include "scan.h"

static const char *const SEVERITIES[] = {
    "trace", "debug",    "info",  "notice", "warn",  "warning", "err",    "error",
    "crit",  "critical", "alert", "emerg",  "fatal", "panic",   "severe",
};

enum { SHORTEST_WORD = 3, LONGEST_WORD = 8, SHORTEST_STAMP = 19 };

static inline bool is_capital(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }
static inline bool is_letter(uint8_t byte) { return is_capital(byte & 0xdf); }

static inline bool is_one_of(uint8_t byte, const char *bytes) { return byte != 0 && strchr(bytes, byte) != NULL; }

static bool has_digits(const uint8_t *at, const uint8_t *until, int size) {
    if (until - at < size) return false;
    for (int place = 0; place < size; place++) {
        if (!is_digit(at[place])) return false;
    }
    return true;
}

/* Where a zone behind the time ends, or `at` if there is none. A blank before it asks for all four digits: other
 * numbers with a sign may stand there. */
static const uint8_t *skip_zone(const uint8_t *at, const uint8_t *until) {
    if (at == until) return at;
    if (*at == 'Z' || *at == 'z') return at + 1;
    if (*at == ' ') {
        bool is_zone = until - at >= 6 && is_one_of(at[1], "+-") && has_digits(at + 2, until, 4);
        return is_zone ? at + 6 : at;
    }
    if (!is_one_of(*at, "+-") || !has_digits(at + 1, until, 2)) return at;
    const uint8_t *minutes = at + 3 < until && at[3] == ':' ? at + 4 : at + 3;
    return has_digits(minutes, until, 2) ? minutes + 2 : at + 3;
}

static bool ends_here(const uint8_t *at, const uint8_t *until) {
    return at == until || !(is_digit(*at) || is_letter(*at));
}

/* Read the time that starts at `at`; where it ends, or NULL if there is none. */
static const uint8_t *read_time(const uint8_t *at, const uint8_t *until, Row *row) {
    if (at < until && is_one_of(*at, "[(")) at++;
    if (until - at < SHORTEST_STAMP || !is_digit(*at)) return NULL;
    const uint8_t *end = at + SHORTEST_STAMP;
    if (end < until && is_one_of(*end, ".,") && has_digits(end + 1, until, 1)) {
        end++;
        while (end < until && is_digit(*end)) end++;
    }
    const uint8_t *zone_end = skip_zone(end, until);
    if (!ends_here(zone_end, until)) return NULL;
    int64_t ts_us;
    Stamp stamp = clock_iso(span_of(at, zone_end), &ts_us);
    if (stamp != STAMP_ZONED && stamp != STAMP_LOCAL) return NULL;
    row->ts_us = ts_us;
    bool is_universal = until - zone_end >= 4 && (memcmp(zone_end, " UTC", 4) == 0 || memcmp(zone_end, " GMT", 4) == 0);
    is_universal = is_universal && ends_here(zone_end + 4, until);
    row->is_local = stamp == STAMP_LOCAL && !is_universal;
    return is_universal ? zone_end + 4 : zone_end;
}

/* Whether a word is this one, whatever the case of its letters. */
static bool is_same(Span word, const char *other) {
    if (strlen(other) != word.size) return false;
    for (size_t place = 0; place < word.size; place++) {
        if ((word.at[place] | 0x20) != (uint8_t)other[place]) return false;
    }
    return true;
}

/* Read a severity behind the time: a word in capitals, or one in brackets of its own. */
static void read_severity(const uint8_t *at, const uint8_t *until, Row *row) {
    if (at < until && is_one_of(*at, "])")) at++;
    bool is_bracketed = false;
    for (; at < until && is_one_of(*at, " \t|[(-"); at++) is_bracketed = *at == '[';
    const uint8_t *since = at;
    bool is_capitals = true;
    for (; at < until && is_letter(*at) && at - since <= LONGEST_WORD; at++) is_capitals &= is_capital(*at);
    if (at - since < SHORTEST_WORD || at - since > LONGEST_WORD) return;
    if (!ends_here(at, until) || (at < until && is_one_of(*at, "_-"))) return;
    if (!is_capitals && !(is_bracketed && at < until && *at == ']')) return;
    for (size_t place = 0; place < sizeof SEVERITIES / sizeof *SEVERITIES; place++) {
        if (is_same(span_of(since, at), SEVERITIES[place])) row->text[SEVERITY] = span_of_text(SEVERITIES[place]);
    }
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    (void)reading;
    if (line.size == 0) return JOINED;
    const uint8_t *until = line.at + line.size;
    Row row = {.ts_us = NO_TIME, .text[MESSAGE] = line};
    const uint8_t *behind = read_time(line.at, until, &row);
    if (behind != NULL) read_severity(behind, until, &row);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, reading); }

PyObject *native_plain(PyObject *module, PyObject *arguments) { return read_alone(module, arguments, read_text); }
