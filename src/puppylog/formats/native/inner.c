#include "inner.h"

#include "app.h"
#include "error_logs.h"
#include "google_agent.h"
#include "klog.h"
#include "severity.h"

enum { MAX_WORD_LENGTH = 11, SECONDS_OF_DAY = 86400 };

static const int64_t SECOND_US = 1000000, QUARTER_US = INT64_C(900) * 1000000, FARTHEST_US = INT64_C(54000) * 1000000;

/* What programs write before a colon at the start of a message, in lower case. */
static const char *const LEVELS[] = {
    "alert", "critical", "crit", "debug",  "debug1", "debug2", "debug3", "emergency", "emerg", "error",
    "err",   "fatal",    "info", "notice", "panic",  "severe", "trace",  "warning",   "warn",
};

void inner_open(Inner *inner, Builder *builder, Span table) {
    inner->builder = builder;
    inner->table = table;
    inner->has_names = false;
    inner->json = (JsonReader){.builder = builder, .names = &inner->names};
    inner->logfmt = (LogfmtReader){.builder = builder, .names = &inner->names};
    inner->haproxy = (HaproxyStamp){0};
    access_open(&inner->access);
}

void inner_close(Inner *inner) {
    json_close(&inner->json);
    logfmt_close(&inner->logfmt);
}

static void read_names(Inner *inner) {
    if (!inner->has_names) names_open(&inner->names, inner->table);
    inner->has_names = true;
}

/* A day of the calendar of 400 years that is valid for all days. */
typedef struct {
    int year, month, day;
} Date;

static Date date_of(int64_t days) {
    days += 719468; /* from 1 March of the year 0 on */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
    Date date = {.day = (int)(of_year - (153 * month + 2) / 5 + 1), .month = (int)(month < 10 ? month + 3 : month - 9)};
    date.year = (int)(year + era * 400) + (date.month <= 2);
    return date;
}

static int64_t floor_of(int64_t number, int64_t unit) { return number / unit - (number % unit < 0); }

/* Return the dating of stamps in the message: a stamp without a year is not more than a day after the line's. */
static Dating dating_of(const Row *outer) {
    Dating dating = {.order = ORDER_UNKNOWN};
    if (outer->ts_us == NO_TIME) return dating;
    Date date = date_of(floor_of(outer->ts_us, SECONDS_OF_DAY * SECOND_US) + 1);
    dating.calendar = (Calendar){date.year, date.month, date.day, true};
    return dating;
}

static bool read_json(Inner *inner, Span text, Row *row) {
    read_names(inner);
    if (json_read(&inner->json, text, row) != FITS || inner->json.members.size == 0) return false;
    json_write(&inner->json);
    return true;
}

/* Prose can be logfmt, too, and so can lines of firewalls: they have no level, and no message with a time. */
static bool read_logfmt(Inner *inner, Span text, Row *row) {
    read_names(inner);
    if (logfmt_read(&inner->logfmt, text, row) != FITS) return false;
    return row->text[SEVERITY].size || (row->ts_us != NO_TIME && row->text[MESSAGE].size);
}

/* Read a level and a colon, such as `error: `. */
static bool read_level(Builder *builder, Span text, Row *row) {
    char lower[MAX_WORD_LENGTH] = {0};
    size_t size = 0;
    for (; size < text.size && size < MAX_WORD_LENGTH - 1 && is_alphanumeric(text.at[size]); size++) {
        lower[size] = (char)(is_digit(text.at[size]) ? text.at[size] : text.at[size] | 0x20);
    }
    if (text.size - size < 2 || text.at[size] != ':' || text.at[size + 1] != ' ') return false;
    for (size_t place = 0; place < sizeof LEVELS / sizeof *LEVELS; place++) {
        if (strcmp(lower, LEVELS[place]) != 0) continue;
        row->text[MESSAGE] = (Span){text.at + size + 2, text.size - size - 2};
        return row_set_severity(builder, row, (Span){text.at, size});
    }
    return false;
}

static bool read_head(Builder *builder, const Row *outer, Span text, Row *row) {
    Dating dating = dating_of(outer);
    AppHead head;
    if (app_read_head(&dating, text, &head) && (head.level.size || head.ts_us != NO_TIME)) {
        app_fill_row(builder, &head, row);
        return true;
    }
    return read_level(builder, text, row);
}

static bool read_klog(Builder *builder, const Row *outer, Span text, Row *row) {
    if (!is_one_of(*text.at, "IWEF") || text.size < 2 || !is_digit(text.at[1])) return false;
    Dating dating = dating_of(outer);
    if (klog_read(builder, &dating, text, row)) return true;
    row_begin(row);
    return false;
}

/* Return the severity of a number from 0 to 10, or of a word of CEF; NULL if it is none. */
static const char *event_level(Span text) {
    static const char *const WORDS[][2] = {
        {"low", "info"}, {"medium", "warning"}, {"high", "error"}, {"very-high", "critical"}};
    char lower[MAX_WORD_LENGTH] = {0};
    if (text.size == 0 || text.size >= MAX_WORD_LENGTH || memchr(text.at, 0, text.size) != NULL) return NULL;
    for (size_t place = 0; place < text.size; place++) {
        uint8_t byte = text.at[place];
        lower[place] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
    }
    for (size_t place = 0; place < sizeof WORDS / sizeof *WORDS; place++) {
        if (strcmp(lower, WORDS[place][0]) == 0) return WORDS[place][1];
    }
    if (strcmp(lower, "10") == 0) return "critical";
    if (text.size != 1 || !is_digit(*text.at)) return NULL;
    int number = *text.at - '0';
    return number < 4 ? "info" : number < 7 ? "warning" : number < 9 ? "error" : "critical";
}

/* Return the seventh part of the head of CEF; empty if there is none. */
static Span cef_severity(const uint8_t *at, const uint8_t *end) {
    for (int bars = 0; bars < 5; bars++, at++) {
        for (; at < end && *at != '|'; at++) at += *at == '\\';
        if (at >= end) return (Span){0};
    }
    const uint8_t *bar = find(at, end, '|');
    return bar != NULL ? span_of(at, bar) : (Span){0};
}

static Span leef_severity(const uint8_t *at, const uint8_t *end) {
    for (at++; at < end; at++) {
        if (!starts_with(at, end, "sev=") || is_alphanumeric(at[-1])) continue;
        int size = digit_run(at + 4, end, 3);
        if (size == 1 || size == 2) return span_of(at + 4, at + 4 + size);
    }
    return (Span){0};
}

/* Read the level of an event in CEF or LEEF. The whole text stays the message. */
static bool read_event(Span text, Row *row) {
    const uint8_t *at = text.at, *end = at + text.size;
    Span severity = {0};
    if (starts_with(at, end, "CEF:") && end - at > 6 && is_digit(at[4]) && at[5] == '|')
        severity = cef_severity(at + 6, end);
    else if (starts_with(at, end, "LEEF:") && end - at > 6 && is_digit(at[5])) severity = leef_severity(at + 6, end);
    const char *level = event_level(severity);
    if (level == NULL) return false;
    row->text[SEVERITY] = span_of_text(level);
    row->text[MESSAGE] = text;
    return true;
}

/* Read the level that Dovecot writes behind the name of its process: `imap(eve): Error: `. The text stays whole. */
static bool read_dovecot(Builder *builder, Span text, Row *row) {
    static const char *const LEVELS[] = {"Debug", "Info", "Warning", "Error", "Fatal", "Panic"};
    const uint8_t *end = text.at + text.size, *colon = text.at;
    while ((colon = find(colon, end, ':')) != NULL && byte_at(colon + 1, end) != ' ') colon++;
    if (colon == NULL) return false;
    for (size_t place = 0; place < sizeof LEVELS / sizeof *LEVELS; place++) {
        size_t size = strlen(LEVELS[place]);
        const uint8_t *level = colon + 2;
        if (!starts_with(level, end, LEVELS[place]) || !starts_with(level + size, end, ": ")) continue;
        row->text[MESSAGE] = text;
        return row_set_severity(builder, row, (Span){level, size});
    }
    return false;
}

static bool read_record(Inner *inner, const Row *outer, Span app, Span text, Row *row) {
    static const char CEE[] = "@cee:";
    Builder *builder = inner->builder;
    if (*text.at == '{') return read_json(inner, text, row);
    if (starts_with(text.at, text.at + text.size, CEE)) {
        const uint8_t *end = text.at + text.size, *at = skip_spaces(text.at + strlen(CEE), end);
        return byte_at(at, end) == '{' && read_json(inner, span_of(at, end), row);
    }
    if (read_event(text, row)) return true;
    if (is_from_haproxy(app)) {
        Mark mark = builder_mark(builder);
        if (haproxy_read(builder, text, &inner->haproxy, row) == FITS) return true;
        builder_return_to(builder, mark);
        row_begin(row);
    }
    if (is_from_dovecot(app) && read_dovecot(builder, text, row)) return true;
    if (is_digit(*text.at) && google_agent_read(builder, text, row)) return true;
    if (is_digit(*text.at) || *text.at == '[') {
        if (*text.at == '[' ? apache_error_read(builder, text, row) : nginx_error_read(builder, text, row)) return true;
        row_begin(row);
    }
    if (is_digit(*text.at)) {
        if (access_read(builder, &inner->access, text, row) == FITS) return true;
        row_begin(row);
    }
    if (read_klog(builder, outer, text, row)) return true;
    if (logfmt_begins(text)) {
        Mark mark = builder_mark(builder);
        if (read_logfmt(inner, text, row)) return true;
        builder_return_to(builder, mark);
        row_begin(row);
    }
    return read_head(builder, outer, text, row);
}

/* Return whether both times can be the same within a second. If only one of them has a zone, they can be that differ by
 * the offset of a zone. */
static bool is_same_time(const Row *outer, const Row *row) {
    int64_t apart = row->ts_us - outer->ts_us;
    if (outer->is_local != row->is_local) {
        if (apart > FARTHEST_US || apart < -FARTHEST_US) return false;
        apart -= floor_of(apart + QUARTER_US / 2, QUARTER_US) * QUARTER_US;
    }
    return apart <= SECOND_US && apart >= -SECOND_US;
}

static char *put_number(char *to, int number, int digits) {
    for (int place = digits - 1; place >= 0; place--, number /= 10) to[place] = (char)('0' + number % 10);
    return to + digits;
}

/* Write the time of the record in ISO 8601 as the attribute `time`. */
static void write_time(Builder *builder, const Row *row) {
    char text[40], *to = text;
    int64_t seconds = floor_of(row->ts_us, SECOND_US), days = floor_of(seconds, SECONDS_OF_DAY);
    int of_day = (int)(seconds - days * SECONDS_OF_DAY), fraction_us = (int)(row->ts_us - seconds * SECOND_US);
    Date date = date_of(days);
    const int numbers[] = {date.year, date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60};
    for (int place = 0; place < 6; place++) {
        to = put_number(to, numbers[place], place == 0 ? 4 : 2);
        if (place < 5) *to++ = "--T::"[place];
    }
    if (fraction_us) {
        *to++ = '.';
        to = put_number(to, fraction_us, 6);
    }
    if (!row->is_local) *to++ = 'Z';
    const char *key = builder->keys.has_time ? "inner_time" : "time";
    builder_text_member(builder, span_of_text(key), span_of((const uint8_t *)text, (const uint8_t *)to));
}

/* Take the record's time if the line has none. If the line's time is coarse, a time with a zone is more exact. */
static void choose_time(Builder *builder, bool is_coarse, Row *outer, const Row *row) {
    if (row->ts_us == NO_TIME) return;
    int64_t apart = outer->ts_us == NO_TIME ? 0 : row->ts_us - outer->ts_us;
    bool is_exact = is_coarse && outer->is_local && !row->is_local && apart <= FARTHEST_US && apart >= -FARTHEST_US;
    if (outer->ts_us == NO_TIME || is_exact) {
        outer->ts_us = row->ts_us;
        outer->is_local = row->is_local;
    } else if (!is_same_time(outer, row)) {
        write_time(builder, row);
    }
}

void inner_read(Inner *inner, Span app, bool is_coarse, Row *outer) {
    Span text = outer->text[MESSAGE];
    Builder *builder = inner->builder;
    Mark mark = builder_mark(builder);
    size_t ambiguous_zones = builder->ambiguous_zones;
    Row row;
    row_begin(&row);
    builder->keys.is_inner = true;
    if (!read_record(inner, outer, app, text, &row)) {
        builder_return_to(builder, mark);
        builder->ambiguous_zones = ambiguous_zones;
        return;
    }
    if (row.text[HOST].size && outer->text[HOST].size)
        builder_text_member(builder, span_of_text("hostname"), outer->text[HOST]);
    if (outer->ts_us != NO_TIME) builder->ambiguous_zones = ambiguous_zones;
    choose_time(builder, is_coarse, outer, &row);
    for (int column = 0; column < TEXTS; column++) {
        if (row.text[column].size || column == MESSAGE) outer->text[column] = row.text[column];
    }
    outer->has_status = row.has_status;
    outer->status = row.status;
    outer->has_bytes = row.has_bytes;
    outer->bytes = row.bytes;
}
