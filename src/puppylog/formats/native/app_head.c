/* Reads the items of a head: see app_head.py. */
#include "app.h"
#include "scan.h"
#include "severity.h"

enum {
    MAX_LEVEL_LENGTH = 13,
    MAX_GROUP_LENGTH = 80,
    MAX_PID_LENGTH = 10,
    MAX_LINE_LENGTH = 7,
    MAX_COMPONENT_LENGTH = 16,
    MAX_TID_LENGTH = 18,
    MIN_CHANNEL_LEVEL_LENGTH = 4
};
enum {
    ESCAPE = 0x1b,
    MAX_EPOCH_LENGTH = 19,
    SECONDS_OF_EPOCH = 10,
    SIZE_WITH_MS = 14,
    SIZE_WITH_US = 17,
    COMPACT_SIZE = 14
};

static const int64_t EARLIEST_SURE_US = 1400000000000000; /* in May 2014 */

static bool is_letter_level(uint8_t byte) { return is_one_of(byte, "TDINWECF"); }

static bool is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }

static bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

/* Return the end of the escape sequence at `at` that sets a colour; `at` if there is none. */
static const uint8_t *escape_end(const uint8_t *at, const uint8_t *end) {
    if (end - at < 3 || at[0] != ESCAPE || at[1] != '[') return at;
    const uint8_t *after = at + 2;
    while (after < end && ((uint8_t)(*after - '0') <= 9 || *after == ';')) after++;
    return after < end && *after == 'm' ? after + 1 : at;
}

static void skip_blanks_and_colours(AppReader *reader) {
    for (;;) {
        uint8_t byte = byte_at(reader->at, reader->end);
        if (byte == '\t' && reader->mark == 0) reader->mark = '\t';
        const uint8_t *after = is_blank(byte) ? reader->at + 1 : escape_end(reader->at, reader->end);
        if (after == reader->at) return;
        reader->at = after;
    }
}

/* Return the end of a mark between items; `at` if there is none. */
static const uint8_t *mark_end(const uint8_t *at, const uint8_t *end) {
    uint8_t byte = byte_at(at, end);
    if (byte == '|' || byte == ';' || byte == '>' || byte == ',') return at + 1;
    if (byte != '-' && byte != ':') return at;
    if (byte == '-' && byte_at(at + 1, end) == '>') return at + 2;
    const uint8_t *after = at + 1;
    while (after < end && *after == byte && after - at < 3) after++;
    return after;
}

void app_skip(AppReader *reader) {
    reader->mark = 0;
    reader->is_tight = false;
    skip_blanks_and_colours(reader);
    const uint8_t *at = reader->at, *after = mark_end(at, reader->end);
    if (after == at || reader->items == 0) return;
    bool is_arrow = after - at == 2 && at[1] == '>';
    if (is_arrow && (reader->head.level.size || byte_at(after, reader->end) != ' ' ||
                     !is_capital(byte_at(skip_spaces(after, reader->end), reader->end))))
        return;
    reader->is_tight = after < reader->end && !is_blank(*after);
    bool precedes_level = reader->head.level.size || (reader->has_time && after < reader->end && is_capital(*after));
    bool may_be_tight = *at == '|' || *at == ';' || (*at == ':' && after - at == 1 && precedes_level);
    if (reader->is_tight && !may_be_tight) return;
    reader->mark = *at == '-' && after - at == 2 && !is_arrow ? '=' : *at == ';' ? '|' : *at;
    reader->at = after;
    skip_blanks_and_colours(reader);
    if (reader->mark == '=' && starts_with(reader->at, reader->end, ": ")) { /* Ruby's message without a program */
        reader->at += 2;
        skip_blanks_and_colours(reader);
    }
}

void app_set_level(AppReader *reader, Span level, bool is_bracketed) {
    reader->head.level = level;
    reader->is_level_bracketed = is_bracketed;
    reader->is_letter = level.size == 1;
    reader->is_level_first = reader->items == 0 && !reader->is_letter;
}

/* Return the end of HH:MM:SS[.fraction], HH:MM AM, or one of them after a date that may mean several days; NULL if there
 * is none. */
static const uint8_t *clock_end(const uint8_t *at, const uint8_t *end, bool *has_date) {
    const uint8_t *start = at, *after = at + digit_run(at, end, 3);
    if (after == at || after - at > 2) return NULL;
    uint8_t between = byte_at(after, end);
    *has_date = false;
    if (between == '/' || between == '.' || between == '-') {
        const uint8_t *second = digits_end(after + 1, end, 1, 2);
        const uint8_t *third =
            second != NULL && byte_at(second, end) == between ? digits_end(second + 1, end, 2, 4) : NULL;
        if (third == NULL) return NULL;
        third += byte_at(third, end) == ',';
        if (byte_at(third, end) != ' ') return NULL;
        *has_date = true;
        start = third + 1;
        after = start + digit_run(start, end, 3);
        if (after == start || after - start > 2) return NULL;
    }
    if (byte_at(after, end) != ':' || digit_run(after + 1, end, 3) < 2) return NULL;
    after += 3;
    bool has_more = false;
    if (byte_at(after, end) == ':' && digit_run(after + 1, end, 2) == 2) {
        after += 3;
        has_more = true;
        int fraction = byte_at(after, end) == '.' || byte_at(after, end) == ',' ? digit_run(after + 1, end, 9) : 0;
        if (fraction) after += 1 + fraction;
    }
    const uint8_t *half = after + (byte_at(after, end) == ' ');
    if (end - half >= 2 && (*half == 'A' || *half == 'P') && half[1] == 'M') {
        bool ends = half + 2 >= end || (!is_alphanumeric(half[2]) && half[2] != ':');
        if (ends) return half + 2;
    }
    if (after < end && (is_alphanumeric(*after) || *after == ':')) return NULL;
    return has_more ? after : NULL;
}

/* Return whether the stamp is a number that could count something else, too. Milli- and microseconds after a dot are of
 * a time, unless it is long ago. */
static bool is_doubtful_epoch(const uint8_t *at, const FoundStamp *found) {
    ptrdiff_t size = found->end - at;
    if (size > MAX_EPOCH_LENGTH || digit_run(at, found->end, SECONDS_OF_EPOCH) < SECONDS_OF_EPOCH) return false;
    if (digit_run(at, found->end, COMPACT_SIZE) == COMPACT_SIZE) return size > COMPACT_SIZE; /* yyyymmddHHMMSS */
    bool has_fraction = (size == SIZE_WITH_MS || size == SIZE_WITH_US) && at[SECONDS_OF_EPOCH] == '.';
    return !has_fraction || found->us < EARLIEST_SURE_US;
}

/* Read a stamp, or a time that is no instant; return its end, or NULL. */
static const uint8_t *read_time(AppReader *reader, const uint8_t *at) {
    FoundStamp found;
    if (stamp_read(reader->dating, at, reader->end, &found)) {
        reader->head.ts_us = found.us;
        reader->head.is_local = found.is_local;
        reader->head.zone = found.zone;
        reader->has_time = reader->settles = true;
        reader->is_epoch = is_doubtful_epoch(at, &found);
        return found.end;
    }
    bool has_date;
    const uint8_t *after = clock_end(at, reader->end, &has_date);
    if (after == NULL) return NULL;
    reader->head.time = span_of(at, after);
    reader->has_date = reader->settles = has_date;
    return after;
}

Span app_level_at(const uint8_t *at, const uint8_t *end) {
    const uint8_t *after = at;
    while (after < end && (uint8_t)((*after | 0x20) - 'a') < 26 && after - at <= MAX_LEVEL_LENGTH) after++;
    size_t size = (size_t)(after - at);
    if (size < 2 || size > MAX_LEVEL_LENGTH) return (Span){0};
    if (after < end && *after >= '1' && *after <= '5') {
        after++;
        size++;
    }
    if (after < end && (is_alphanumeric(*after) || *after == '_' || *after == '-')) return (Span){0};
    Span word = {at, size};
    if (span_is(word, "config")) return (Span){0}; /* a part of a program; the level is CONFIG */
    return severity_find(word).size ? word : (Span){0};
}

/* Return whether a byte may be in a name in brackets. */
static bool is_in_group(uint8_t byte) { return byte < 0x80 && byte != ESCAPE && !is_one_of(byte, "[](){}<>\""); }

/* Read `|app|7f2a]` after a level in brackets: the rest is the context. */
static bool read_rest(AppReader *reader, const uint8_t *at, uint8_t closing) {
    const uint8_t *end = reader->end;
    if (byte_at(at, end) != '|') return false;
    const uint8_t *start = at + 1, *after = start;
    while (after < end && after - start < MAX_GROUP_LENGTH && is_in_group(*after)) after++;
    if (byte_at(after, end) != closing) return false;
    reader->at = after + 1;
    start = skip_spaces(start, after);
    while (after > start && after[-1] == ' ') after--;
    reader->head.context = span_of(start, after);
    return true;
}

/* Read a level in brackets, alone or before other items. */
static bool read_level_within(AppReader *reader, const uint8_t *at, uint8_t closing) {
    const uint8_t *end = reader->end;
    bool has_level = reader->head.level.size > 0;
    if (has_level && !reader->is_letter) return false;
    if (is_letter_level(byte_at(at, end)) && byte_at(at + 1, end) == closing && !has_level) {
        app_set_level(reader, (Span){at, 1}, true);
        reader->at = at + 2;
        return true;
    }
    if (is_letter_level(byte_at(at, end)) && read_rest(reader, at + 1, closing)) {
        app_set_level(reader, (Span){at, 1}, true);
        return true;
    }
    Span word = app_level_at(escape_end(at, end), end);
    if (word.size == 0) return false;
    const uint8_t *blanks = escape_end(word.at + word.size, end), *after = skip_spaces(blanks, end);
    bool is_alone = byte_at(after, end) == closing;
    if (!is_alone && read_rest(reader, after, closing)) {
        app_set_level(reader, word, true);
        return true;
    }
    if (!is_alone && (after == blanks || !is_capitals(word))) return false;
    app_set_level(reader, word, true);
    reader->at = after + is_alone;
    if (!is_alone) reader->closing = closing;
    return true;
}

/* Return the end of `file.go:12` at `at`, and set file and line; NULL if there is none. */
static const uint8_t *read_source(AppReader *reader, const uint8_t *at) {
    static const char *const SUFFIXES[] = {"go", "py", "rb",  "java", "js",  "ts",    "rs",
                                           "c",  "cc", "cpp", "cs",   "php", "scala", "kt"};
    const uint8_t *end = reader->end, *after = at, *dot = NULL;
    for (; after < end && (is_alphanumeric(*after) || is_one_of(*after, "_./@-")); after++) {
        if (*after == '.') dot = after;
    }
    if (dot == NULL || dot == at || byte_at(after, end) != ':') return NULL;
    const uint8_t *number_end = digits_end(after + 1, end, 1, MAX_LINE_LENGTH);
    if (number_end == NULL || (number_end < end && is_alphanumeric(*number_end))) return NULL;
    Span suffix = span_of(dot + 1, after);
    for (size_t place = 0; place < sizeof SUFFIXES / sizeof *SUFFIXES; place++) {
        if (!span_is(suffix, SUFFIXES[place])) continue;
        reader->head.file = span_of(at, after);
        reader->head.line = span_of(after + 1, number_end);
        return number_end;
    }
    return NULL;
}

/* Return the end of a number that no name goes on after; NULL if there is none. */
static const uint8_t *number_end(const uint8_t *at, const uint8_t *end) {
    const uint8_t *after = digits_end(at, end, 1, MAX_PID_LENGTH);
    if (after == NULL || (after < end && (is_alphanumeric(*after) || is_one_of(*after, "_./-")))) return NULL;
    return after;
}

/* Return whether a name in round or curly brackets is a thread: before the level, or directly after it. */
static bool may_be_thread(const AppReader *reader, Span content) {
    bool has_blank = memchr(content.at, ' ', content.size) != NULL;
    if (reader->head.level.size == 0) return reader->has_time && !has_blank;
    int count = reader->group_count;
    if (count && memchr(reader->groups[count - 1].at, '.', reader->groups[count - 1].size) != NULL) return true;
    return is_thread(content) && !has_blank && reader->head.logger.size == 0;
}

static bool is_all_digits(Span text) {
    return digit_run(text.at, text.at + text.size, (int)text.size) == (int)text.size;
}

/* Take `channel.LEVEL` in brackets, as Monolog can write it; return false if the name has another form. */
static bool take_channel(AppReader *reader, Span content) {
    const uint8_t *end = end_of(content), *dot = end;
    while (dot > content.at && dot[-1] != '.') dot--;
    Span level = span_of(dot, end);
    if (dot < content.at + 2 || level.size < MIN_CHANNEL_LEVEL_LENGTH || !is_capitals(level)) return false;
    if (severity_find(level).size == 0) return false;
    app_set_level(reader, level, true);
    reader->head.logger = span_of(content.at, dot - 1);
    return true;
}

/* Take `category:level` or `category#level` in brackets; return false if the name has another form. */
static bool take_category(AppReader *reader, Span content) {
    const uint8_t *at = content.at, *end = at + content.size;
    while (at < end && (is_alphanumeric(*at) || is_one_of(*at, "_.-"))) at++;
    if (at == content.at || !is_one_of(byte_at(at, end), ":#")) return false;
    Span word = span_of(at + 1, end);
    for (size_t place = 0; place < word.size; place++) {
        if (!is_letter(word.at[place])) return false;
    }
    if (severity_find(word).size == 0) return false;
    app_set_level(reader, word, true);
    reader->head.logger = span_of(content.at, at);
    return true;
}

/* Read `pid 12` in brackets, up to the closing one; return its end, or NULL. */
static const uint8_t *read_process(AppReader *reader, const uint8_t *at, uint8_t closing) {
    const uint8_t *end = reader->end;
    if (end - at < 4 || (at[0] | 0x20) != 'p' || (at[1] | 0x20) != 'i' || (at[2] | 0x20) != 'd') return NULL;
    at += 3;
    for (int mark = 0; mark < 2 && at < end && is_one_of(*at, " :="); mark++) at++;
    const uint8_t *after = digits_end(at, end, 1, MAX_PID_LENGTH);
    if (after == NULL || byte_at(after, end) != closing) return NULL;
    reader->head.pid = span_of(at, after);
    return after + 1;
}

static bool take_group(AppReader *reader, uint8_t opening, Span content) {
    AppHead *head = &reader->head;
    int count = reader->group_count;
    if (opening == '(' || opening == '{') {
        if (!may_be_thread(reader, content) || head->thread.size) return false;
        head->thread = content;
        return true;
    }
    if (opening == '<') {
        if (!(head->level.size || reader->has_time) || head->thread.size) return false;
        for (size_t place = 0; place < content.size; place++) {
            if (!is_one_of(content.at[place], "0123456789.")) return false;
        }
        head->thread = content;
        return true;
    }
    if (opening != '[' || (head->logger.size && !reader->is_letter)) return false;
    if (memchr(content.at, ' ', content.size) != NULL || is_all_digits(content)) return false;
    if (count == MAX_GROUPS) return false;
    if (head->level.size == 0 && (take_category(reader, content) || take_channel(reader, content))) return true;
    reader->groups[reader->group_count++] = content;
    return true;
}

/* Read a number, a place in the source, or a name in brackets. */
static bool read_group(AppReader *reader, uint8_t opening, uint8_t closing, const uint8_t *at) {
    AppHead *head = &reader->head;
    const uint8_t *end = reader->end, *after = number_end(at, end);
    bool is_thread_id = after == NULL && head->tid.size == 0;
    if (is_thread_id) after = digits_end(at, end, MAX_PID_LENGTH + 1, MAX_TID_LENGTH);
    bool is_apart = reader->at == reader->start || !is_letter(reader->at[-1]); /* INFO[0012] has seconds */
    bool takes_number = is_apart && (opening == '[' || opening == '(') && !(head->pid.size && head->tid.size);
    if (after != NULL && byte_at(after, end) == closing && takes_number) {
        *(head->pid.size || is_thread_id ? &head->tid : &head->pid) = span_of(at, after);
        reader->at = after + 1;
        return true;
    }
    bool may_be_process = (opening == '[' || opening == '(') && head->pid.size == 0;
    after = may_be_process ? read_process(reader, at, closing) : NULL;
    if (after != NULL) {
        reader->at = after;
        return true;
    }
    Span file = head->file, line = head->line;
    after = read_source(reader, at);
    if (after != NULL && byte_at(after, end) == closing) {
        reader->at = after + 1;
        return true;
    }
    head->file = file;
    head->line = line;
    const uint8_t *start = reader->at + 1;
    for (after = start; after < end && after - start < MAX_GROUP_LENGTH && is_in_group(*after);) after++;
    if (byte_at(after, end) != closing) return false;
    const uint8_t *last = after;
    start = skip_spaces(start, last);
    while (last > start && last[-1] == ' ') last--;
    if (start == last || !take_group(reader, opening, span_of(start, last))) return false;
    reader->at = after + 1;
    return true;
}

static bool read_bracket(AppReader *reader) {
    uint8_t opening = *reader->at;
    uint8_t closing = opening == '[' ? ']' : opening == '(' ? ')' : opening == '{' ? '}' : '>';
    const uint8_t *end = reader->end, *at = skip_spaces(reader->at + 1, end);
    if ((opening == '[' || opening == '(') && !reader->has_time && reader->head.time.size == 0) {
        bool is_letter =
            is_letter_level(byte_at(at, end)) && byte_at(at + 1, end) == ' ' && reader->head.level.size == 0;
        const uint8_t *after = read_time(reader, is_letter ? at + 2 : at);
        if (after != NULL) {
            if (is_letter) app_set_level(reader, (Span){at, 1}, true);
            reader->is_time_bracketed = true;
            reader->at = after;
            reader->closing = closing;
            return true;
        }
    }
    return read_level_within(reader, at, closing) || read_group(reader, opening, closing, at);
}

/* Read #123 of Ruby, which is the number of the process. */
static bool read_thread_number(AppReader *reader) {
    const uint8_t *after = number_end(reader->at + 1, reader->end);
    if (after == NULL || reader->closing == 0 || reader->head.pid.size) return false;
    reader->head.pid = span_of(reader->at + 1, after);
    reader->at = after;
    return true;
}

static bool read_number(AppReader *reader) {
    const uint8_t *end = reader->end, *after = number_end(reader->at, end);
    bool has_pid = reader->head.pid.size > 0;
    if (after == NULL || (has_pid && (reader->head.tid.size || reader->head.level.size))) return false;
    const uint8_t *pid_end = after;
    const uint8_t *tid_end = !has_pid && byte_at(after, end) == '#' ? number_end(after + 1, end) : NULL;
    if (tid_end != NULL) after = tid_end;
    uint8_t byte = byte_at(after, end);
    if (after < end && !is_blank(byte) && byte != '|' && byte != ':' && !(reader->closing && byte == reader->closing))
        return false;
    if (reader->head.level.size && tid_end == NULL && !starts_with(after, end, " ---")) return false;
    *(has_pid ? &reader->head.tid : &reader->head.pid) = span_of(reader->at, pid_end);
    if (tid_end != NULL) reader->head.tid = span_of(pid_end + 1, tid_end);
    reader->at = after;
    return true;
}

/* Return the end of `:name(): ` after a place in the source, and set the function; `at` if there is none. */
static const uint8_t *read_call(AppReader *reader, const uint8_t *at) {
    const uint8_t *end = reader->end, *start = at + 1, *after = start;
    if (byte_at(at, end) != ':') return at;
    while (after < end && after - start < MAX_GROUP_LENGTH && (is_alphanumeric(*after) || is_one_of(*after, "_~:")))
        after++;
    if (after == start || !starts_with(after, end, "()")) return at;
    after += 2;
    const uint8_t *behind = after + (byte_at(after, end) == ':');
    if (!is_one_of(byte_at(behind, end), " \t")) return at;
    reader->head.function = span_of(start, after);
    return behind;
}

static bool read_source_item(AppReader *reader) {
    if (!(reader->has_time || reader->head.level.size) || reader->head.file.size) return false;
    const uint8_t *after = read_source(reader, reader->at);
    if (after == NULL) return false;
    reader->at = read_call(reader, after);
    reader->settles = true;
    return true;
}

/* Read `file.cc:12]`; return the end without the bracket, or NULL. */
static const uint8_t *read_letter_source(AppReader *reader, const uint8_t *at) {
    Span file = reader->head.file, line = reader->head.line;
    const uint8_t *after = read_source(reader, at);
    if (after != NULL && byte_at(after, reader->end) == ']') return after;
    reader->head.file = file;
    reader->head.line = line;
    return NULL;
}

/* Read the letter of Ruby, "I, [", or of MongoDB with the component after it, "I NETWORK  [". */
static bool read_letter(AppReader *reader) {
    const uint8_t *at = reader->at, *end = reader->end;
    if (reader->head.level.size) return false;
    if (reader->items == 0 && is_letter_level(*at) && starts_with(at + 1, end, ", [")) {
        app_set_level(reader, (Span){at, 1}, false);
        reader->at += 3;
        return true;
    }
    bool is_joined = reader->items == 0 && is_letter_level(*at) && byte_at(at + 1, end) == '[';
    if (is_joined && is_digit(byte_at(at + 2, end))) { /* of CometBFT, before the time in brackets */
        app_set_level(reader, (Span){at, 1}, false);
        reader->at++;
        return true;
    }
    if (!reader->has_time || !is_one_of(*at, "DIWEF")) return false;
    const uint8_t *source = *at != 'D' && byte_at(at + 1, end) == ' ' ? read_letter_source(reader, at + 2) : NULL;
    if (source != NULL) {
        app_set_level(reader, (Span){at, 1}, false);
        reader->at = source + 1;
        return true;
    }
    const uint8_t *after = at + 1 + digit_run(at + 1, end, 1), *name = skip_spaces(after, end);
    if (name == after) return false;
    for (after = name; after < end && ((*after >= 'A' && *after <= 'Z') || *after == '_');) after++;
    Span component = span_of(name, after);
    if (component.size == 0 && byte_at(name, end) == '-') after++;
    else if (component.size < 2 || component.size > MAX_COMPONENT_LENGTH) return false;
    const uint8_t *bracket = skip_spaces(after, end);
    if (bracket == after || byte_at(bracket, end) != '[') return false;
    app_set_level(reader, (Span){at, 1}, false);
    reader->head.logger = component;
    reader->at = bracket;
    return true;
}

/* Return whether a word is one of the levels in small letters that begin a record without a time. */
static bool is_console_level(Span word) {
    static const char *const LEVELS[] = {"info", "warn",  "fail",  "crit",    "dbug",
                                         "trce", "error", "debug", "verbose", "warning"};
    for (size_t place = 0; place < sizeof LEVELS / sizeof *LEVELS; place++) {
        if (span_is(word, LEVELS[place])) return true;
    }
    return false;
}

/* Return the end of `[E0432]` before a colon, the code of a level; NULL if there is none. */
static const uint8_t *code_end(const uint8_t *at, const uint8_t *end) {
    if (byte_at(at, end) != '[' || !is_capital(byte_at(at + 1, end))) return NULL;
    const uint8_t *after = digits_end(at + 2, end, 3, 5);
    return after != NULL && starts_with(after, end, "]: ") ? after + 1 : NULL;
}

/* Return whether blanks, a bracket and a date are at `at`. */
static bool precedes_date(const uint8_t *at, const uint8_t *end) {
    const uint8_t *bracket = skip_spaces(at, end);
    if (bracket == at || byte_at(bracket, end) != '[') return false;
    const uint8_t *after = digits_end(bracket + 1, end, 4, 4);
    return after != NULL && is_one_of(byte_at(after, end), "/.-");
}

static bool is_level(const AppReader *reader, Span word) {
    const uint8_t *at = word.at + word.size, *end = reader->end;
    uint8_t following = byte_at(at, end);
    if (is_capitals(word)) return at == end || following == ESCAPE || is_one_of(following, " \t:|;]/[,>)");
    if (following == ':' && (at + 1 == end || at[1] == ' ')) {
        return reader->has_time || reader->head.time.size || reader->items == 0;
    }
    if (reader->items == 0 && (code_end(at, end) != NULL || precedes_date(at, end))) return true;
    if (reader->closing && (following == ' ' || following == reader->closing)) return true;
    if (!is_one_of(reader->mark, "|\t-=")) return false;
    at = skip_spaces(at, end);
    return is_one_of(byte_at(at, end), "|;\t") || starts_with(at, end, "- ") || starts_with(at, end, "-- ");
}

/* Read a level without a bracket of its own. */
static bool read_level(AppReader *reader) {
    const uint8_t *end = reader->end;
    if (read_letter(reader)) return true;
    if (reader->head.level.size && !reader->is_letter) return false;
    Span word = app_level_at(reader->at, end);
    if (word.size == 0 || !is_level(reader, word)) return false;
    app_set_level(reader, word, false);
    reader->is_level_first &= is_capitals(word) || is_console_level(word);
    reader->at += word.size;
    const uint8_t *code = code_end(reader->at, end);
    if (code != NULL) {
        reader->head.context = span_of(reader->at + 1, code - 1);
        reader->at = code;
    }
    if (reader->closing && byte_at(reader->at, end) == '/') {
        const uint8_t *start = reader->at + 1, *after = start;
        while (after < end && (is_alphanumeric(*after) || is_one_of(*after, "_$.-"))) after++;
        if (after > start) {
            reader->head.thread = span_of(start, after);
            reader->at = after;
        }
    }
    return true;
}

bool app_read_item(AppReader *reader) {
    if (reader->at == reader->end) return false;
    uint8_t byte = *reader->at;
    if (reader->closing && byte == reader->closing) {
        reader->closing = 0;
        reader->at++;
        return true;
    }
    if (byte == '[' || byte == '(' || byte == '{' || byte == '<') return !reader->closing && read_bracket(reader);
    if (byte == '#') return read_thread_number(reader);
    if (!reader->has_time && reader->head.time.size == 0) {
        const uint8_t *after = read_time(reader, reader->at);
        if (after != NULL) return reader->at = after, true;
    }
    if ((uint8_t)(byte - '0') <= 9) return read_source_item(reader) || read_number(reader);
    return read_level(reader) || read_source_item(reader);
}
