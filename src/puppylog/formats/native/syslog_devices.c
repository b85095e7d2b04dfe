/* Reads what devices of Cisco and hosts of VMware add to their messages: see syslog/devices.py. */
#include "syslog.h"

enum { MAX_HEAD_LENGTH = 64 }; /* before the percent sign of Cisco */

const uint8_t *syslog_mark_end(const uint8_t *at, const uint8_t *end) {
    return at < end && (*at == '*' || *at == '.') ? at + 1 : at;
}

const uint8_t *syslog_before_time(const uint8_t *at, const uint8_t *end, bool *is_cisco) {
    if (at < end && *at == ' ') at++;
    const uint8_t *start = at;
    while (at < end && is_digit(*at) && at - start < 10) at++;
    if (at > start) at = begins(at, end, ": ") ? at + 2 : start;
    else if (at < end && *at == ':') at += begins(at, end, ": ") ? 2 : 1;
    at = syslog_mark_end(at, end);
    *is_cisco = at > start;
    return at;
}

const uint8_t *syslog_cisco_end(const Calendar *calendar, const uint8_t *at, const uint8_t *end) {
    const uint8_t *limit = end - at > MAX_HEAD_LENGTH ? at + MAX_HEAD_LENGTH : end;
    if (find(at, limit, '%') == NULL) return NULL;
    Calendar copy = *calendar;
    bool is_cisco;
    Found found;
    Stamp stamp = syslog_stamp(&copy, syslog_before_time(at, end, &is_cisco), end, &found);
    if (stamp == STAMP_NONE || stamp == STAMP_OUT_OF_RANGE) return NULL;
    at = found.end;
    if (at < end && *at == ' ') {
        const uint8_t *zone = at + 1, *zone_end = zone;
        while (zone_end < end && *zone_end >= 'A' && *zone_end <= 'Z') zone_end++;
        if (zone_end - zone >= 3 && zone_end - zone <= 5) at = zone_end;
    }
    return begins(at, end, ": %") ? at + 2 : NULL;
}

/* Return the end of `cpu1:23)`, and set whether a level follows; NULL if there is none. */
static const uint8_t *cpu_end(const uint8_t *at, const uint8_t *end, const char **level) {
    *level = NULL;
    if (!begins(at, end, "cpu")) return NULL;
    const uint8_t *start = at += 3;
    while (at < end && is_digit(*at)) at++;
    if (at == start || at == end || *at != ':') return NULL;
    start = ++at;
    while (at < end && is_digit(*at)) at++;
    if (at == start || at == end || *at != ')') return NULL;
    at++;
    if (begins(at, end, "WARNING")) *level = "warning";
    if (begins(at, end, "ALERT")) *level = "alert";
    return at;
}

bool syslog_is_cpu(const uint8_t *at, const uint8_t *end) {
    const char *level;
    return cpu_end(at, end, &level) != NULL;
}

static const char *level_of(Span word) {
    if (span_is(word, "error")) return "error";
    if (span_is(word, "warning")) return "warning";
    if (span_is(word, "info")) return "info";
    if (span_is(word, "verbose") || span_is(word, "trivia")) return "trace";
    return span_is(word, "panic") ? "critical" : NULL;
}

/* Return whether one of the levels can begin with the letter. */
static inline bool may_begin_level(uint8_t letter) {
    return letter == 'e' || letter == 'w' || letter == 'i' || letter == 'v' || letter == 't' || letter == 'p';
}

/* Read `[level ]name[pid][:] `, before the bracket of the originator; return its end, or NULL. */
static const uint8_t *program_end(const uint8_t *at, const uint8_t *end, const char **level, Span *app, Span *pid) {
    *level = NULL;
    const uint8_t *start = at;
    while (at < end && *at >= 'a' && *at <= 'z') at++;
    if (at > start && at < end && *at == ' ') {
        *level = level_of(span_of(start, at));
        if (*level == NULL) return NULL;
        start = ++at;
    }
    for (at = start; at < end && *at != ' ' && *at != '[' && *at != ']';) at++;
    if (at == start || at == end || *at != '[') return NULL;
    *app = span_of(start, at);
    start = ++at;
    while (at < end && *at != ' ' && *at != '[' && *at != ']') at++;
    if (at == end || *at != ']') return NULL;
    *pid = span_of(start, at);
    at++;
    if (at < end && *at == ':') at++;
    return begins(at, end, " [Originator@") ? at + 1 : NULL;
}

const uint8_t *syslog_vmware(const uint8_t *at, const uint8_t *end, Entry *entry) {
    if (at == end || *at != ' ') return NULL;
    at++;
    if (end - at > 3 && at[2] == '(') {
        static const char OF_SEVERITY[8][3] = {"Em", "Al", "Cr", "Er", "Wa", "No", "In", "Db"};
        int priority = 0;
        const uint8_t *digit = at + 3;
        for (; digit < end && is_digit(*digit) && digit - at < 6; digit++) priority = priority * 10 + (*digit - '0');
        if (digit > at + 3 && begins(digit, end, ") ") && priority < 192 &&
            memcmp(at, OF_SEVERITY[priority % 8], 2) == 0) {
            entry->facility = span_of_text(SYSLOG_FACILITIES[priority / 8]);
            entry->row.text[SEVERITY] = span_of_text(SYSLOG_SEVERITIES[priority % 8]);
            return digit + 2;
        }
    }
    const char *level;
    Span app, pid;
    return program_end(at, end, &level, &app, &pid) != NULL || cpu_end(at, end, &level) != NULL ? at : NULL;
}

static bool is_in_mnemonic(uint8_t byte) { return is_digit(byte) || (byte >= 'A' && byte <= 'Z') || byte == '_'; }

/* Return the level of the tag `%FACILITY-LEVEL-MNEMONIC`; -1 if the tag has another form. */
static int cisco_level(Span tag) {
    if (tag.size < 6 || *tag.at != '%') return -1;
    const uint8_t *at = tag.at + 1, *end = tag.at + tag.size;
    int parts = 0;
    Span before = {0};
    for (;; parts++) {
        const uint8_t *start = at;
        while (at < end && is_in_mnemonic(*at)) at++;
        if (at == start) return -1;
        if (at == end) break;
        if (*at++ != '-') return -1;
        before = span_of(start, at - 1);
    }
    return parts >= 2 && before.size == 1 && *before.at >= '0' && *before.at <= '7' ? *before.at - '0' : -1;
}

void syslog_level(Entry *entry) {
    Span *message = &entry->row.text[MESSAGE], *severity = &entry->row.text[SEVERITY];
    int number = cisco_level(entry->app);
    if (number >= 0) *severity = span_of_text(SYSLOG_SEVERITIES[number]);
    if (number >= 0 || message->size == 0 || *message->at < 'a' || *message->at > 'z') return;
    const uint8_t *end = message->at + message->size;
    const char *level;
    Span app, pid;
    if (cpu_end(message->at, end, &level) != NULL) {
        if (level != NULL) *severity = span_of_text(level);
        return;
    }
    if (!may_begin_level(*message->at)) return;
    const uint8_t *after = program_end(message->at, end, &level, &app, &pid);
    if (after == NULL || level == NULL) return;
    *severity = span_of_text(level);
    if (entry->app.size == 0) entry->app = app;
    if (entry->pid.size == 0) entry->pid = pid;
    *message = span_of(after, end);
}

/* Return the size of a zone such as `+0100` or `+01:00` that ends a value; 0 if there is none. */
static size_t zone_size(const uint8_t *at, const uint8_t *end) {
    static const char *const FORMS[] = {"+dddd", "+dd:dd"};
    for (size_t form = 0; form < sizeof FORMS / sizeof *FORMS; form++) {
        size_t size = strlen(FORMS[form]), place = 0;
        if ((size_t)(end - at) < size) continue;
        for (; place < size; place++) {
            char wanted = FORMS[form][place];
            if (wanted == 'd' ? !is_digit(at[place])
                              : at[place] != (uint8_t)wanted && !(wanted == '+' && at[place] == '-'))
                break;
        }
        if (place == size && (at + size == end || at[size] == ' ' || at[size] == '"')) return size;
    }
    return 0;
}

void syslog_device_time(Span message, Row *row) {
    enum { DATE_AT = 5, DATE = 10, TIME_AT = 21, TIME = 8, HEAD = TIME_AT + TIME, MAX_ZONE_LENGTH = 6 };
    const uint8_t *at = message.at, *end = at + message.size;
    uint8_t text[DATE + 1 + TIME + MAX_ZONE_LENGTH];
    if (message.size < HEAD || !begins(at, end, "date=") || !begins(at + DATE_AT + DATE, end, " time=")) return;
    if (!ends_word(at + HEAD, end)) return;
    memcpy(text, at + DATE_AT, DATE);
    text[DATE] = 'T';
    memcpy(text + DATE + 1, at + TIME_AT, TIME);
    Span stamp = {text, DATE + 1 + TIME};
    for (const uint8_t *zone = at + HEAD; zone != NULL && zone < end; zone = find(zone + 1, end, ' ')) {
        if (!begins(zone, end, " tz=")) continue;
        zone += strlen(" tz=");
        if (zone < end && *zone == '"') zone++;
        size_t size = zone_size(zone, end);
        memcpy(text + stamp.size, zone, size);
        stamp.size += size;
        break;
    }
    Stamp kind = clock_iso(stamp, &row->ts_us);
    row->is_local = kind == STAMP_LOCAL;
    if (kind != STAMP_ZONED && kind != STAMP_LOCAL) row->ts_us = NO_TIME;
}
