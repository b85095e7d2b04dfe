/* Reads a message by RFC 3164 after its priority, if any: see syslog/rfc3164.py. */
#include "syslog.h"

const char *const SYSLOG_FACILITIES[24] = {
    "kern",   "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",
    "uucp",   "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",
    "local0", "local1", "local2",   "local3", "local4", "local5", "local6", "local7",
};
const char *const SYSLOG_SEVERITIES[8] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug",
};
static const char *const KEYWORDS[8] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};

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

/* Read facility.severity; return false if the word is something else. */
static bool read_priority(Span word, Entry *entry) {
    const uint8_t *end = word.at + word.size, *point = find(word.at, end, '.');
    if (point == NULL) return false;
    Span severity = span_of(point + 1, end);
    int place = find_word(span_of(word.at, point), SYSLOG_FACILITIES, COUNT(SYSLOG_FACILITIES));
    int level = span_is(severity, "warn") ? 4 : find_word(severity, KEYWORDS, COUNT(KEYWORDS));
    if (place < 0 || level < 0) return false;
    entry->facility = span_of_text(SYSLOG_FACILITIES[place]);
    entry->row.text[SEVERITY] = span_of_text(SYSLOG_SEVERITIES[level]);
    return true;
}

static bool is_priority(Span word) {
    Entry ignored = {0};
    return read_priority(word, &ignored);
}

/* Read a tag, with or without a process id, and move after it; return false if there is none. */
static bool take_tag(const uint8_t **place, const uint8_t *end, Entry *entry) {
    const uint8_t *start = *place, *at = start;
    while (at < end && *at != ' ' && *at != '[' && *at != ']') at++;
    if (at == start) return false;
    if (at[-1] == ':' && at - start > 1 && (at == end || *at != ']')) {
        entry->app = span_of(start, at - 1);
        *place = at;
        return true;
    }
    if (at == end || *at != '[') return false;
    const uint8_t *pid = at + 1, *pid_end = pid;
    while (pid_end < end && *pid_end != ' ' && *pid_end != '[' && *pid_end != ']') pid_end++;
    if (pid_end == end || *pid_end != ']') return false;
    if (!ends_word(pid_end + 1, end) && pid_end[1] != ':') return false;
    entry->app = span_of(start, at);
    entry->pid = span_of(pid, pid_end);
    *place = pid_end + 1 < end && pid_end[1] == ':' ? pid_end + 2 : pid_end + 1;
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

/* Return whether a host follows, and then a tag or a message that daemons write without a tag. */
static bool has_host_and_tag(const uint8_t *at, const uint8_t *end) {
    const uint8_t *blank = word_end(at, end);
    if (!is_host(span_of(at, blank)) || blank == end || span_is(span_of(at, blank), "-")) return false;
    at = blank + 1;
    Entry ignored;
    return begins(at, end, " ") || begins(at, end, "message repeated ") || begins(at, end, "last message repeated ") ||
           begins(at, end, "-- MARK --") || take_tag(&at, end, &ignored);
}

/* Return the end of a blank, the name of a zone and a colon; NULL if there is none. */
static const uint8_t *skip_zone(const uint8_t *at, const uint8_t *end, bool is_cisco, bool *is_universal) {
    if (at == end || *at != ' ') return NULL;
    const uint8_t *start = ++at;
    while (at < end && *at >= 'A' && *at <= 'Z') at++;
    if (at - start < 3 || at - start > 5 || at == end || *at != ':' || !ends_word(at + 1, end)) return NULL;
    *is_universal = span_is(span_of(start, at), "UTC") || span_is(span_of(start, at), "GMT");
    return is_cisco || *is_universal || begins(at + 1, end, " %") ? at + 1 : NULL;
}

/* Read `<facility.severity> `, which BSD's `syslogd -v` writes after the time; return the start of the rest. */
static const uint8_t *skip_level(const uint8_t *at, const uint8_t *end, Entry *entry) {
    if (at == end || *at != '<') return at;
    const uint8_t *start = at + 1, *after = start;
    while (after < end && *after != ' ' && *after != '<' && *after != '>') after++;
    if (after == start || !begins(after, end, "> ")) return at;
    Entry level = {0};
    const uint8_t *point = start;
    int facility = 0;
    while (point < after && is_digit(*point) && point - start < 2) facility = facility * 10 + (*point++ - '0');
    if (point > start && after - point == 2 && *point == '.' && point[1] >= '0' && point[1] <= '7') {
        if (facility >= (int)COUNT(SYSLOG_FACILITIES)) return at;
        level.facility = span_of_text(SYSLOG_FACILITIES[facility]);
        level.row.text[SEVERITY] = span_of_text(SYSLOG_SEVERITIES[point[1] - '0']);
    } else if (!read_priority(span_of(start, after), &level)) {
        return at;
    }
    if (entry->row.text[SEVERITY].size == 0) {
        entry->facility = level.facility;
        entry->row.text[SEVERITY] = level.row.text[SEVERITY];
    }
    return skip_blanks(after + 1, end);
}

/* Return the start of the text after `<facility.severity> `; `at` if there is none. */
static const uint8_t *level_end(const uint8_t *at, const uint8_t *end) {
    if (at == end || *at != '<') return at;
    Entry ignored = {0};
    return skip_level(at, end, &ignored);
}

/* Return whether a word is a level, perhaps with a colon, and so no name of a host or a program. */
static bool is_level(Span word) {
    if (word.size && word.at[word.size - 1] == ':') word.size--;
    return find_word(word, NO_HOST, COUNT(NO_HOST)) >= 0;
}

/* Return whether a word is GMT+0100, or has names in brackets without blanks between them. */
static bool is_no_name(Span word) {
    const uint8_t *at = word.at, *end = at + word.size;
    if (*at == '[') {
        for (const uint8_t *next = at; (next = find(next + 1, end, ']')) != NULL;) {
            if (begins(next, end, "][")) return true;
        }
        return false;
    }
    if (word.size < 8 || word.size > 9 || !(begins(at, end, "GMT") || begins(at, end, "UTC"))) return false;
    if (at[3] != '+' && at[3] != '-') return false;
    if (word.size == 9 && at[6] != ':') return false;
    return is_digit(at[4]) && is_digit(at[5]) && is_digit(end[-2]) && is_digit(end[-1]);
}

/* Read the zone or the host after the time, and move after it; return false if the line is no message of syslog: of an
 * ISO stamp without a priority (`is_strict`) the host or tag is missing, or a level is in the place of the host. */
static bool read_host(const uint8_t **place, const uint8_t *end, bool is_iso, bool has_priority, bool is_cisco,
                      Entry *entry) {
    const uint8_t *at = *place;
    bool is_universal, is_strict = is_iso && !has_priority;
    const uint8_t *after = skip_zone(at, end, is_cisco, &is_universal);
    if (after != NULL && is_universal) entry->row.is_local = false;
    if (after == NULL && at < end && *at == ':') {
        after = at + 1;
        const uint8_t *word = skip_blanks(after, end);
        if (!has_priority && is_level(span_of(word, word_end(word, end)))) return false;
    }
    if (after != NULL) {
        *place = skip_blanks(after, end);
        return true;
    }
    const uint8_t *vmware = is_strict ? syslog_vmware(at, end, entry) : NULL;
    if (vmware != NULL) {
        *place = vmware;
        return true;
    }
    if (is_strict && !has_host_and_tag(at < end ? level_end(at + 1, end) : end, end)) return false;
    *place = at = skip_level(skip_blanks(at, end), end, entry);
    const uint8_t *blank = word_end(at, end);
    Span host = span_of(at, blank);
    bool may_be_host = has_priority || host.size == 0 || (*host.at >= 'a' && *host.at <= 'z') || is_digit(*host.at);
    if (!may_be_host && (is_level(host) || is_no_name(host))) return false;
    if (host.size == 0 || blank[-1] == ':' || is_priority(host)) return true;
    if (begins(at, end, "last message repeated ") || begins(at, end, "--- last message repeated ")) return true;
    entry->row.text[HOST] = host;
    at = skip_blanks(blank, end);
    if (begins(at, end, ": ")) at = skip_blanks(at + 2, end);
    *place = at;
    return true;
}

/* Return the end of `%$ VDC-1 %$ `, the virtual device of NX-OS; `at` if there is none. */
static const uint8_t *skip_context(const uint8_t *at, const uint8_t *end) {
    enum { SHORTEST = 1, LONGEST = 40 };
    if (at == end || *at != '%' || !begins(at, end, "%$ ")) return at;
    const uint8_t *name = at + 3, *percent = find(name, end, '%');
    if (percent == NULL || !begins(percent, end, "%$ ") || percent[-1] != ' ') return at;
    ptrdiff_t size = percent - 1 - name;
    return size >= SHORTEST && size <= LONGEST ? percent + 3 : at;
}

static void read_content(const Calendar *calendar, const uint8_t *at, const uint8_t *end, Entry *entry) {
    at = skip_context(at, end);
    bool may_be_cisco = at < end && (*at < 'a' || *at > 'z'); /* the names of most programs are in small letters */
    const uint8_t *tag = may_be_cisco ? syslog_cisco_end(calendar, at, end) : NULL;
    if (tag != NULL) at = tag;
    if (entry->row.text[SEVERITY].size == 0) {
        const uint8_t *blank = word_end(at, end);
        if (read_priority(span_of(at, blank), entry)) at = skip_blanks(blank, end);
    }
    if (!(at < end && *at == 'c' && syslog_is_cpu(at, end)) && take_tag(&at, end, entry) && at < end && *at == ' ')
        at++;
    entry->row.text[MESSAGE] = span_of(at, end);
    syslog_level(entry);
}

/* Read the name that a device of Cisco gives itself before the time; return NULL if there is none. */
static const uint8_t *skip_origin(const uint8_t *at, const uint8_t *end, Span *origin) {
    const uint8_t *blank = word_end(at, end);
    if (blank == end || blank - at < 2 || blank[-1] != ':') return NULL;
    *origin = span_of(at, blank - 1);
    return syslog_mark_end(blank + 1, end);
}

int syslog_3164(Calendar *calendar, const uint8_t *at, const uint8_t *end, bool has_priority, Entry *entry) {
    bool is_cisco = false;
    bool has_head = has_priority || ((is_digit(*at) || *at == ':' || *at == '*' || *at == '.' || *at == ' ') &&
                                     syslog_cisco_end(calendar, at, end) != NULL);
    const uint8_t *time_at = has_head ? syslog_before_time(at, end, &is_cisco) : at;
    Found found;
    Stamp stamp = syslog_stamp(calendar, time_at, end, &found);
    Span origin = {0};
    const uint8_t *origin_end = stamp == STAMP_NONE && is_cisco ? skip_origin(time_at, end, &origin) : NULL;
    if (origin_end != NULL) stamp = syslog_stamp(calendar, origin_end, end, &found);
    if (stamp == STAMP_OUT_OF_RANGE) return SYSLOG_TIME_RANGE;
    if (stamp == STAMP_NONE) {
        if (!has_priority) return SYSLOG_NO_SYSLOG;
        const uint8_t *sequence = at < end && *at == ' ' ? at + 1 : at;
        bool has_sequence = is_cisco && is_digit(*sequence); /* as the tag it would be another program each time */
        at = skip_blanks(has_sequence ? time_at : at, end);
    } else {
        entry->row.ts_us = found.us;
        entry->row.is_local = found.is_local;
        entry->is_coarse = !found.is_iso && found.us % 1000000 == 0;
        at = found.end;
        if (!read_host(&at, end, found.is_iso, has_priority, is_cisco, entry)) return SYSLOG_NO_TAG;
        if (entry->row.text[HOST].size == 0) entry->row.text[HOST] = origin;
    }
    if (at == end && entry->row.text[HOST].size == 0) return SYSLOG_NO_MESSAGE;
    read_content(calendar, at, end, entry);
    entry->row.text[HOST] = without_dash(entry->row.text[HOST]);
    return FITS;
}
