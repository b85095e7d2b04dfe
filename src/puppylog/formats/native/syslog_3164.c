/* RFC 3164, what follows the priority, if there is one: see syslog/rfc3164.py. */
#include "syslog.h"

const char *const SYSLOG_FACILITIES[24] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7",
};
const char *const SYSLOG_SEVERITIES[8] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

static const char *const NO_HOST[] = {
    "TRACE", "DEBUG",    "INFO",  "NOTICE", "WARN",  "WARNING", "ERR",    "ERROR",
    "CRIT",  "CRITICAL", "ALERT", "EMERG",  "FATAL", "PANIC",   "SEVERE",
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int find_word(Span word, const char *const *words, size_t count) {
    for (size_t place = 0; place < count; place++) {
        if (span_is(word, words[place])) return (int)place;
    }
    return -1;
}

/* facility.severity */
static bool read_priority(Span word, Entry *entry) {
    const uint8_t *until = word.at + word.size, *point = find(word.at, until, '.');
    if (point == NULL) return false;
    Span severity = span_of(point + 1, until);
    int place = find_word(span_of(word.at, point), SYSLOG_FACILITIES, COUNT(SYSLOG_FACILITIES));
    int level = span_is(severity, "warn") ? 4 : find_word(severity, SYSLOG_SEVERITIES, COUNT(SYSLOG_SEVERITIES));
    if (place < 0 || level < 0) return false;
    entry->facility = span_of_text(SYSLOG_FACILITIES[place]);
    entry->row.text[SEVERITY] = span_of_text(SYSLOG_SEVERITIES[level]);
    return true;
}

static bool is_priority(Span word) {
    Entry nobody = {0};
    return read_priority(word, &nobody);
}

/* Read a tag, with a process or without, and move behind it; false if there is none. */
static bool take_tag(const uint8_t **place, const uint8_t *until, Entry *entry) {
    const uint8_t *since = *place, *at = since;
    while (at < until && *at != ' ' && *at != '[' && *at != ']') at++;
    if (at == since) return false;
    if (at[-1] == ':' && at - since > 1 && (at == until || *at != ']')) {
        entry->app = span_of(since, at - 1);
        *place = at;
        return true;
    }
    if (at == until || *at != '[') return false;
    const uint8_t *pid = at + 1, *end = pid;
    while (end < until && *end != ' ' && *end != '[' && *end != ']') end++;
    if (end == until || *end != ']') return false;
    if (!ends_word(end + 1, until) && end[1] != ':') return false;
    entry->app = span_of(since, at);
    entry->pid = span_of(pid, end);
    *place = end + 1 < until && end[1] == ':' ? end + 2 : end + 1;
    return true;
}

static bool is_host(Span word) {
    for (size_t place = 0; place < word.size; place++) {
        uint8_t byte = word.at[place];
        bool is_letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (!is_letter && !is_digit(byte) && (byte == 0 || strchr("._:%@/-", byte) == NULL)) return false;
    }
    return word.size > 0 && word.at[word.size - 1] != ':' && find_word(word, NO_HOST, COUNT(NO_HOST)) < 0;
}

/* Whether a host and a tag start here, or what daemons write without a tag. */
static bool has_host_and_tag(const uint8_t *at, const uint8_t *until) {
    const uint8_t *end = word_end(at, until);
    if (!is_host(span_of(at, end)) || end == until) return false;
    at = end + 1;
    Entry nobody;
    return begins(at, until, " ") || begins(at, until, "message repeated ") ||
           begins(at, until, "last message repeated ") || begins(at, until, "-- MARK --") ||
           take_tag(&at, until, &nobody);
}

/* A blank, a zone's name and a colon: where they end, or NULL. */
static const uint8_t *skip_zone(const uint8_t *at, const uint8_t *until, bool is_cisco, bool *is_universal) {
    if (at == until || *at != ' ') return NULL;
    const uint8_t *since = ++at;
    while (at < until && *at >= 'A' && *at <= 'Z') at++;
    if (at - since < 3 || at - since > 5 || at == until || *at != ':' || !ends_word(at + 1, until)) return NULL;
    *is_universal = span_is(span_of(since, at), "UTC") || span_is(span_of(since, at), "GMT");
    return is_cisco || *is_universal ? at + 1 : NULL;
}

/* Read what stands behind the time, and move to what follows; false if there is no host or tag where they must be. */
static bool read_host(const uint8_t **place, const uint8_t *until, bool is_strict, bool is_cisco, Entry *entry) {
    const uint8_t *at = *place;
    bool is_universal;
    const uint8_t *behind = skip_zone(at, until, is_cisco, &is_universal);
    if (behind != NULL && is_universal) entry->row.is_local = false;
    if (behind == NULL && at < until && *at == ':') behind = at + 1;
    if (behind != NULL) {
        *place = skip_blanks(behind, until);
        return true;
    }
    if (is_strict && !has_host_and_tag(at < until ? at + 1 : until, until)) return false;
    *place = at = skip_blanks(at, until);
    const uint8_t *end = word_end(at, until);
    Span host = span_of(at, end);
    if (host.size == 0 || end[-1] == ':' || is_priority(host)) return true;
    if (begins(at, until, "last message repeated ") || begins(at, until, "--- last message repeated ")) return true;
    entry->row.text[HOST] = host;
    at = skip_blanks(end, until);
    if (begins(at, until, ": ")) at = skip_blanks(at + 2, until);
    *place = at;
    return true;
}

static void read_content(const uint8_t *at, const uint8_t *until, Entry *entry) {
    const uint8_t *end = word_end(at, until);
    if (entry->row.text[SEVERITY].size == 0 && read_priority(span_of(at, end), entry)) at = skip_blanks(end, until);
    if (take_tag(&at, until, entry) && at < until && *at == ' ') at++;
    entry->row.text[MESSAGE] = span_of(at, until);
}

/* Skip the sequence number and the mark that Cisco's devices write before the time. */
static const uint8_t *skip_before_time(const uint8_t *at, const uint8_t *until, bool *is_cisco) {
    if (at < until && *at == ' ') at++;
    const uint8_t *since = at;
    while (at < until && is_digit(*at) && at - since < 10) at++;
    at = at > since && begins(at, until, ": ") ? at + 2 : since;
    if (at < until && (*at == '*' || *at == '.')) at++;
    *is_cisco = at > since;
    return at;
}

int syslog_3164(Calendar *calendar, const uint8_t *at, const uint8_t *until, bool has_priority, Entry *entry) {
    bool is_cisco = false;
    const uint8_t *time_at = has_priority ? skip_before_time(at, until, &is_cisco) : at;
    Found found;
    Stamp stamp = syslog_stamp(calendar, time_at, until, &found);
    if (stamp == STAMP_OUT_OF_RANGE) return SYSLOG_TIME_RANGE;
    if (stamp == STAMP_NONE) {
        if (!has_priority) return SYSLOG_NO_SYSLOG;
        at = skip_blanks(at, until);
    } else {
        entry->row.ts_us = found.us;
        entry->row.is_local = found.is_local;
        at = found.until;
        if (!read_host(&at, until, found.is_iso && !has_priority, is_cisco, entry)) return SYSLOG_NO_TAG;
    }
    if (at == until && entry->row.text[HOST].size == 0) return SYSLOG_NOTHING;
    read_content(at, until, entry);
    entry->row.text[HOST] = without_dash(entry->row.text[HOST]);
    return FITS;
}
