/* Reads the names of loggers in a head: see app_names.py. */
#include "app.h"
#include "scan.h"
#include "severity.h"

enum { MAX_NAME_LENGTH = 120, MAX_WORDS = 2, MAX_PID_LENGTH = 10, MAX_TID_LENGTH = 18, MAX_LINE_LENGTH = 7 };
enum { MIN_ID_LENGTH = 8, MIN_ID_WITH_DIGIT = 4 };

static bool is_name_byte(uint8_t byte) { return is_alphanumeric(byte) || is_one_of(byte, "_.$/#@-"); }

static bool has_byte(Span span, uint8_t byte) { return span.size && memchr(span.at, byte, span.size) != NULL; }

static bool ends_in(Span span, const char *text) {
    size_t size = strlen(text);
    return span.size >= size && memcmp(span.at + span.size - size, text, size) == 0;
}

static bool take(AppReader *reader, Span name, const uint8_t *after) {
    reader->head.logger = name;
    reader->at = after;
    return true;
}

/* Return the name at `at`, in which "::" may part words; empty if there is none. */
static Span name_at(const uint8_t *at, const uint8_t *end) {
    const uint8_t *after = at;
    if (at == end || !(is_alphanumeric(*at) || *at == '_' || *at == '$') || (uint8_t)(*at - '0') <= 9) return (Span){0};
    while (after < end) {
        if (is_name_byte(*after)) after++;
        else if (end - after >= 3 && after[0] == ':' && after[1] == ':' && is_name_byte(after[2])) after += 2;
        else break;
    }
    return span_of(at, after);
}

/* Read `p=12 u=name [n=name ][LEVEL]| ` of Ansible. */
static bool read_ansible(AppReader *reader) {
    const uint8_t *at = reader->at, *end = reader->end;
    if (!starts_with(at, end, "p=")) return false;
    const uint8_t *pid_end = digits_end(at + 2, end, 1, MAX_PID_LENGTH);
    if (pid_end == NULL || !starts_with(pid_end, end, " u=")) return false;
    Span words[2] = {{0}, {0}};
    const uint8_t *after = pid_end;
    for (int place = 0; place < 2 && starts_with(after, end, place ? " n=" : " u="); place++) {
        const uint8_t *start = after + 3;
        for (after = start; after < end && *after != ' ' && *after != '|';) after++;
        if (after == start || byte_at(after, end) != ' ') return false;
        words[place] = span_of(start, after);
    }
    const uint8_t *level = ++after;
    while (after < end && *after >= 'A' && *after <= 'Z') after++;
    if (!starts_with(after, end, "| ")) return false;
    reader->head.pid = span_of(at + 2, pid_end);
    reader->head.user = words[0];
    reader->head.logger = words[1];
    Span word = span_of(level, after);
    if (severity_find(word).size) app_set_level(reader, word, false);
    reader->at = after + 2;
    reader->settles = true;
    return true;
}

/* Return whether a name is of words that begin with capitals, such as SparkContext. */
static bool is_camel(Span name) {
    const uint8_t *at = name.at, *end = end_of(name);
    if (!is_capital(*at)) return false;
    const uint8_t *after = at + 1;
    while (after < end && ((*after >= 'a' && *after <= 'z') || (uint8_t)(*after - '0') <= 9)) after++;
    if (after == at + 1 || after == end || *after < 'A' || *after > 'Z') return false;
    while (after < end && is_alphanumeric(*after)) after++;
    return after == end;
}

static bool is_lower(Span name) {
    if (*name.at < 'a' || *name.at > 'z') return false;
    for (size_t place = 1; place < name.size; place++) {
        uint8_t byte = name.at[place];
        if (!(byte >= 'a' && byte <= 'z') && !is_one_of(byte, "0123456789_.-")) return false;
    }
    return true;
}

/* Return whether a name before a colon is the name of a logger, and not the first word of the message. */
static bool is_logger(const AppReader *reader, Span name) {
    if (ends_in(name, "Error") || ends_in(name, "Exception") || ends_in(name, "Warning")) return false;
    if (reader->mark == '=' || has_byte(name, ':') || has_byte(name, '/')) return true;
    if (has_byte(name, '$') || has_byte(name, '#')) return true;
    if (name.size > 2 && has_byte((Span){name.at + 1, name.size - 2}, '.')) return true;
    return is_camel(name) || (reader->is_level_bracketed && is_lower(name));
}

/* Return whether what follows a name after the level shows that it is the name of a logger. */
static bool ends_logger(const AppReader *reader, Span name) {
    const uint8_t *at = end_of(name), *end = reader->end;
    uint8_t following = byte_at(at, end), after = byte_at(at + 1, end);
    if (at == end) return false;
    if (following == ':') {
        if (reader->mark == ':' && reader->is_tight) return true;
        return (at + 1 == end || after == ' ' || after == '\t') && is_logger(reader, name);
    }
    if (following == '\t') return reader->mark == '\t' && after != '{';
    if (following == '|') return true;
    if (following == ']') return reader->closing == ']';
    if (following != ' ') return false;
    const uint8_t *mark = skip_spaces(at, end);
    if (starts_with(mark, end, ": ") || starts_with(mark, end, "- ") || byte_at(mark, end) == '|') {
        return !reader->closing;
    }
    size_t dots = 0;
    for (size_t place = 0; place < name.size; place++) dots += name.at[place] == '.';
    return dots >= 2 || (dots == 1 && after == '[');
}

/* Read " 12 140123 " after a module: the numbers of process and thread. */
static const uint8_t *read_numbers(AppReader *reader, const uint8_t *at) {
    const uint8_t *end = reader->end;
    if (byte_at(at, end) != ' ') return NULL;
    const uint8_t *pid_end = digits_end(at + 1, end, 1, MAX_PID_LENGTH);
    if (pid_end == NULL || byte_at(pid_end, end) != ' ') return NULL;
    const uint8_t *tid_end = digits_end(pid_end + 1, end, 1, MAX_TID_LENGTH);
    if (tid_end == NULL || byte_at(tid_end, end) != ' ') return NULL;
    reader->head.pid = span_of(at + 1, pid_end);
    reader->head.tid = span_of(pid_end + 1, tid_end);
    return tid_end + 1;
}

/* Read ":function:12" after a module. */
static const uint8_t *read_function(AppReader *reader, const uint8_t *at) {
    const uint8_t *end = reader->end;
    if (byte_at(at, end) != ':') return NULL;
    const uint8_t *start = at + 1, *after = start;
    while (after < end && (is_alphanumeric(*after) || *after == '_')) after++;
    if (after == start && starts_with(start, end, "<module>")) after += strlen("<module>");
    if (after == start || byte_at(after, end) != ':') return NULL;
    const uint8_t *line_end = digits_end(after + 1, end, 1, MAX_LINE_LENGTH);
    if (line_end == NULL || (line_end < end && is_alphanumeric(*line_end))) return NULL;
    reader->head.function = span_of(start, after);
    reader->head.line = span_of(after + 1, line_end);
    return line_end;
}

/* Read ":12" before " - ". */
static const uint8_t *read_line_number(AppReader *reader, const uint8_t *at) {
    const uint8_t *end = reader->end;
    const uint8_t *line_end = byte_at(at, end) == ':' ? digits_end(at + 1, end, 1, MAX_LINE_LENGTH) : NULL;
    if (line_end == NULL || byte_at(line_end, end) != ' ' || !starts_with(skip_spaces(line_end, end), end, "- "))
        return NULL;
    reader->head.line = span_of(at + 1, line_end);
    return line_end;
}

static bool read_after_level(AppReader *reader, Span name) {
    const uint8_t *at = end_of(name), *end = reader->end;
    if (reader->is_level_first && reader->items == 1 && reader->mark == ':' && byte_at(at, end) == '[') {
        const uint8_t *id_end = digits_end(at + 1, end, 1, MAX_LINE_LENGTH);
        if (id_end != NULL && byte_at(id_end, end) == ']' && id_end + 1 == end) {
            reader->head.event_id = span_of(at + 1, id_end);
            return take(reader, name, end);
        }
    }
    bool may_have_numbers = reader->is_level_first && reader->has_time && reader->head.pid.size == 0;
    const uint8_t *after = may_have_numbers ? read_numbers(reader, at) : NULL;
    if (after == NULL) after = read_function(reader, at);
    if (after == NULL) after = read_line_number(reader, at);
    if (after != NULL) return take(reader, name, after);
    return ends_logger(reader, name) && take(reader, name, at);
}

/* Read `production.ERROR:` of Monolog. */
static bool read_channel(AppReader *reader, Span name) {
    const uint8_t *dot = end_of(name);
    while (dot > name.at && dot[-1] != '.') dot--;
    if (dot == name.at || byte_at(end_of(name), reader->end) != ':') return false;
    Span level = span_of(dot, end_of(name));
    if (!is_capitals(level) || severity_find(level).size == 0) return false;
    app_set_level(reader, level, false);
    return take(reader, span_of(name.at, dot - 1), end_of(name));
}

static const uint8_t *read_process(const uint8_t *at, const uint8_t *end) {
    const uint8_t *after = byte_at(at, end) == '[' ? digits_end(at + 1, end, 1, MAX_PID_LENGTH) : NULL;
    return after != NULL && byte_at(after, end) == ']' ? after + 1 : NULL;
}

/* Return whether a level in capitals and a colon are at `at`. */
static bool is_level_and_colon(const uint8_t *at, const uint8_t *end) {
    Span level = is_capital(byte_at(at, end)) ? app_level_at(at, end) : (Span){0};
    if (level.size == 0 || !is_capitals(level)) return false;
    const uint8_t *colon = skip_spaces(end_of(level), end);
    return byte_at(colon, end) == ':' && (colon + 1 == end || colon[1] == ' ');
}

static bool ends_word(const AppReader *reader, Span name) {
    const uint8_t *at = end_of(name), *end = reader->end;
    uint8_t following = byte_at(at, end);
    if (following == '|' || following == '\t' || read_process(at, end) != NULL) return true;
    if (following == ':') return reader->has_time && at + 1 < end && (at[1] == ' ' || at[1] == '\t');
    if (following != ' ') return false;
    const uint8_t *mark = skip_spaces(at, end);
    if (byte_at(mark, end) == '|') return true;
    if (reader->has_time) {
        if (starts_with(mark, end, "- ") || starts_with(mark, end, "> ") || starts_with(mark, end, "-> ")) return true;
        if (starts_with(mark, end, ": ")) return true;
        if (is_level_and_colon(mark, end)) return true;
    }
    if (span_is(name, "root") || span_is(name, "main") || span_is(name, "app")) return true;
    for (size_t place = 1; place < name.size; place++) {
        if (is_one_of(name.at[place], "0123456789._-")) return true;
    }
    return byte_at(mark, end) == '(';
}

/* Read a name before the level, which counts only if a level follows. */
static bool read_before_level(AppReader *reader, Span name) {
    if (reader->has_time && read_channel(reader, name)) return true;
    if (reader->words == MAX_WORDS || !ends_word(reader, name)) return false;
    const uint8_t *after = end_of(name), *process_end = read_process(after, reader->end);
    reader->words++;
    if (process_end != NULL) {
        reader->head.pid = span_of(after + 1, process_end - 1);
        after = process_end;
    }
    if (reader->word.size == 0) reader->word = name;
    else if (reader->head.context.size == 0) reader->head.context = name;
    reader->at = after;
    return true;
}

/* Read `name]` or `name:line]` after the letter and the time in brackets. */
static bool read_within(AppReader *reader, Span name) {
    const uint8_t *at = end_of(name), *end = reader->end;
    if (byte_at(at, end) == ':') {
        const uint8_t *line_end = digits_end(at + 1, end, 1, MAX_LINE_LENGTH);
        if (line_end == NULL || byte_at(line_end, end) != ']') return false;
        reader->head.line = span_of(at + 1, line_end);
        return take(reader, name, line_end);
    }
    return byte_at(at, end) == ']' && take(reader, name, at);
}

/* Read LOG3 of stunnel, whose digit is syslog's number. */
static bool read_syslog_level(AppReader *reader) {
    static const char *const LEVELS[] = {"emergency", "alert",  "critical", "error",
                                         "warning",   "notice", "info",     "debug"};
    const uint8_t *at = reader->at;
    if (!starts_with(at, reader->end, "LOG") || reader->end - at < 5 || at[4] != '[') return false;
    if (at[3] < '0' || at[3] > '7') return false;
    app_set_level(reader, span_of_text(LEVELS[at[3] - '0']), false);
    reader->at = at + 4;
    return true;
}

/* Read the id of a request or a thread in hexadecimal digits, or an address; it counts only if a level follows. */
static bool read_id(AppReader *reader) {
    const uint8_t *at = reader->at, *end = reader->end, *after = starts_with(at, end, "0x") ? at + 2 : at;
    bool has_digit = after > at;
    const uint8_t *start = after;
    for (; after < end && is_one_of(*after, "0123456789abcdefABCDEF.:-"); after++) has_digit |= is_digit(*after);
    if (after == start || is_one_of(after[-1], ".:-") || !is_one_of(byte_at(after, end), " \t|")) return false;
    if (!has_digit || reader->words == MAX_WORDS) return false;
    int shortest = *after == ' ' ? MIN_ID_WITH_DIGIT : 1;
    if (after - at < (is_digit(*at) ? shortest : MIN_ID_LENGTH)) return false;
    reader->words++;
    if (reader->head.context.size == 0) reader->head.context = span_of(at, after);
    reader->at = after;
    return true;
}

bool app_read_name(AppReader *reader) {
    if (reader->has_time && reader->head.level.size == 0) {
        if (read_ansible(reader) || read_syslog_level(reader) || read_id(reader)) return true;
    }
    Span name = name_at(reader->at, reader->end);
    if (name.size == 0 || name.size > MAX_NAME_LENGTH || reader->head.logger.size) return false;
    if (reader->is_letter && reader->closing == ']') return read_within(reader, name);
    bool has_level = reader->head.level.size && !reader->is_letter;
    return has_level ? read_after_level(reader, name) : read_before_level(reader, name);
}
