/* Reads Apache's error log: see apache_error.py, which does the same in Python. */
#include "address.h"
#include "clock.h"
#include "error_logs.h"
#include "module.h"
#include "severity.h"

enum { SECONDS_SIZE = 19, MAX_SOURCE_LENGTH = 80, MAX_ERROR_LENGTH = 200, MAX_GROUPS = 16 };

typedef struct {
    uint8_t stamp[SECONDS_SIZE + 5]; /* of the line before, without its fraction */
    int64_t us;
} Reading;

typedef struct {
    Span level, module, pid, tid, client, port, source, os_error, code, message, referer;
    bool has_level, is_new; /* is_new: the line has a process or a module, as of Apache 2.4 */
} Parts;

static inline bool is_capital(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }

static inline bool is_letter(uint8_t byte) { return is_capital(byte & 0xdf); }

/* Read `Day Mon dd HH:MM:SS[.fraction] yyyy`. */
static Stamp read_ctime(Reading *reading, Span text, int64_t *us) {
    enum { YEAR = 5 }; /* a blank and four digits */
    const uint8_t *at = text.at, *year = text.at + text.size - YEAR;
    if (text.size < SECONDS_SIZE + YEAR || at[3] != ' ' || at[7] != ' ' || at[10] != ' ' || *year != ' ') {
        return STAMP_NONE;
    }
    if (!is_letter(at[0]) || !is_letter(at[1]) || !is_letter(at[2])) return STAMP_NONE;
    Cursor rest = {at + SECONDS_SIZE, year};
    Span fraction = {0};
    if (take_byte(&rest, '.') && !take_digits(&rest, &fraction)) return STAMP_NONE;
    if (rest.at != rest.end) return STAMP_NONE;
    uint8_t whole[SECONDS_SIZE + YEAR];
    memcpy(whole, at, SECONDS_SIZE);
    memcpy(whole + SECONDS_SIZE, year, YEAR);
    if (memcmp(whole, reading->stamp, sizeof whole) != 0) {
        uint8_t access[] = "dd/Mon/yyyy:HH:MM:SS +0000"; /* the same parts in the form of access logs */
        memcpy(access, whole + 8, 2);
        if (access[0] == ' ') access[0] = '0';
        memcpy(access + 3, whole + 4, 3);
        memcpy(access + 7, whole + SECONDS_SIZE + 1, 4);
        memcpy(access + 12, whole + 11, 8);
        memset(reading->stamp, 0, sizeof whole);
        Stamp stamp = clock_access((Span){access, sizeof access - 1}, &reading->us);
        if (stamp != STAMP_ZONED) return stamp;
        memcpy(reading->stamp, whole, sizeof whole);
    }
    clock_fraction(fraction.at, fraction.at + fraction.size, us);
    *us += reading->us;
    return STAMP_LOCAL;
}

/* Take `[time] `; set `is_other` if the time is not in Apache's own form. */
static int take_time(Cursor *cursor, Reading *reading, Row *row, bool *is_other) {
    Span text;
    if (!take_byte(cursor, '[') || !take_until(cursor, ']', &text) || !take_byte(cursor, ' ')) return APACHE_NO_TIME;
    Stamp stamp = read_ctime(reading, text, &row->ts_us);
    *is_other = stamp == STAMP_NONE;
    if (stamp == STAMP_NONE) stamp = clock_iso(text, &row->ts_us);
    if (stamp == STAMP_NONE) stamp = clock_access(text, &row->ts_us);
    if (stamp == STAMP_NONE) return APACHE_NO_TIME;
    row->is_local = stamp == STAMP_LOCAL;
    return stamp == STAMP_OUT_OF_RANGE ? APACHE_TIME_RANGE : FITS;
}

static bool is_trace(Span word) {
    return word.size == 6 && memcmp(word.at, "trace", 5) == 0 && word.at[5] >= '1' && word.at[5] <= '8';
}

static bool is_level(Span word) { return is_trace(word) || severity_find(word).size > 0; }

/* Read `level` or `module:level`. */
static bool read_level(Span text, Parts *parts) {
    const uint8_t *end = text.at + text.size, *colon = find_near(text.at, end, ':');
    Span level = colon != NULL ? span_of(colon + 1, end) : text;
    if (parts->has_level || !is_level(level)) return false;
    parts->level = level;
    parts->has_level = true;
    if (colon == NULL) return true;
    parts->module = span_of(text.at, colon);
    parts->is_new = true;
    return true;
}

/* Read `pid n` or `pid n:tid n`. */
static bool read_process(Span text, Parts *parts) {
    Cursor cursor = cursor_of(text);
    Span pid, tid = {0};
    if (parts->pid.size || !take_text(&cursor, "pid ") || !take_digits(&cursor, &pid)) return false;
    if (take_text(&cursor, ":tid ") && !take_digits(&cursor, &tid)) return false;
    if (cursor.at != cursor.end) return false;
    parts->pid = pid;
    parts->tid = tid;
    parts->is_new = true;
    return true;
}

/* Read `client address[:port]` or `remote address[:port]`. Modules may write the client a second time. */
static bool read_client(Span text, Parts *parts) {
    Cursor cursor = cursor_of(text);
    Span port;
    if (!take_text(&cursor, "client ") && !take_text(&cursor, "remote ")) return false;
    Span address = rest_of(cursor);
    if (address.size == 0 || find_near(address.at, cursor.end, ' ') != NULL) return false;
    if (parts->client.size) return true;
    parts->client = parts->is_new ? address_split(address, &port) : address_split_sure(address, &port);
    parts->port = port;
    return true;
}

/* Take `[…] ` if it is one of the groups above. */
static bool take_group(Cursor *cursor, Parts *parts) {
    Cursor after = *cursor;
    Span text;
    if (!take_byte(&after, '[') || !take_until(&after, ']', &text)) return false;
    if (!read_level(text, parts) && !read_process(text, parts) && !read_client(text, parts)) return false;
    take_byte(&after, ' ');
    *cursor = after;
    return true;
}

/* Take `file.c(line): `. */
static bool take_source(Cursor *cursor, Parts *parts) {
    const uint8_t *at = cursor->at,
                  *limit = cursor->end - at > MAX_SOURCE_LENGTH ? at + MAX_SOURCE_LENGTH : cursor->end;
    const uint8_t *bracket = find_near(at, limit, '(');
    Cursor after = {bracket, cursor->end};
    Span line;
    if (parts->source.size || bracket == NULL || bracket - at < 3 || memcmp(bracket - 2, ".c", 2) != 0) return false;
    if (find_near(at, bracket, ' ') != NULL || !take_byte(&after, '(')) return false;
    if (!take_digits(&after, &line) || !take_text(&after, "): ")) return false;
    parts->source = span_of(at, after.at - 2);
    *cursor = after;
    return true;
}

/* Take `(number)text: `, an error of the operating system. */
static bool take_os_error(Cursor *cursor, Parts *parts) {
    Cursor after = *cursor;
    Span number;
    if (parts->os_error.size || !take_byte(&after, '(')) return false;
    take_byte(&after, '-');
    if (!take_digits(&after, &number) || !take_byte(&after, ')')) return false;
    const uint8_t *limit = after.end - after.at > MAX_ERROR_LENGTH ? after.at + MAX_ERROR_LENGTH : after.end;
    for (const uint8_t *colon = after.at; (colon = find_near(colon, limit, ':')) != NULL; colon++) {
        if (colon + 1 == after.end || colon[1] != ' ') continue;
        parts->os_error = span_of(cursor->at, colon);
        cursor->at = colon + 2;
        return true;
    }
    return false;
}

/* Return whether the message begins with a code: two to six capitals, at least three digits, a colon. */
static bool read_code(Span message, Span *code) {
    enum { MIN_LETTERS = 2, MAX_LETTERS = 6, MIN_DIGITS = 3 };
    const uint8_t *at = message.at, *end = message.at + message.size;
    while (at < end && is_capital(*at)) at++;
    ptrdiff_t letters = at - message.at;
    const uint8_t *number = at;
    while (at < end && is_digit(*at)) at++;
    if (letters < MIN_LETTERS || letters > MAX_LETTERS || at - number < MIN_DIGITS) return false;
    if (at == end || *at != ':') return false;
    *code = span_of(message.at, at);
    return true;
}

/* Divide the rest of the line into the message and the referer, which Apache writes after the last `, referer: `. */
static void take_message(Cursor cursor, Parts *parts) {
    static const char MARK[] = ", referer: ";
    enum { MARK_SIZE = sizeof MARK - 1 };
    parts->message = rest_of(cursor);
    const uint8_t *at = parts->message.size < MARK_SIZE ? cursor.at : cursor.end - MARK_SIZE + 1;
    while (at > cursor.at) {
        if (*--at != ',' || memcmp(at, MARK, MARK_SIZE) != 0) continue;
        parts->message = span_of(cursor.at, at);
        parts->referer = without_dash(span_of(at + MARK_SIZE, cursor.end));
        break;
    }
    read_code(parts->message, &parts->code);
}

/* Take what follows the time. `is_other` says that other programs write such a time, too. */
static int take_rest(Cursor *cursor, bool is_other, Parts *parts) {
    int groups = 0;
    while (groups < MAX_GROUPS && take_group(cursor, parts)) groups++;
    /* Other programs write a time and a level in brackets, too, but no process, module or client. */
    if (!parts->has_level || (is_other && !parts->is_new && parts->client.size == 0)) return APACHE_NO_LEVEL;
    if (take_source(cursor, parts)) groups = 0;
    if (take_os_error(cursor, parts)) groups = 0;
    while (groups < MAX_GROUPS && take_group(cursor, parts)) groups++;
    take_message(*cursor, parts);
    return FITS;
}

static int take_parts(Cursor *cursor, Reading *reading, Parts *parts, Row *row) {
    bool is_other = false;
    int reason = take_time(cursor, reading, row, &is_other);
    return reason == FITS ? take_rest(cursor, is_other, parts) : reason;
}

static void write_severity(Builder *builder, Span level, Row *row) {
    if (!is_trace(level)) {
        row_set_severity(builder, row, level);
        return;
    }
    row->text[SEVERITY] = span_of_text("trace");
    builder_text_member(builder, span_of_text("severity_text"), level);
}

static void write_parts(Builder *builder, const Parts *parts, Row *row) {
    write_severity(builder, parts->level, row);
    row->text[HOST] = parts->client;
    row->text[MESSAGE] = parts->message;
    row->text[REFERER] = parts->referer;
    add_known(builder, "module", parts->module);
    add_number(builder, "pid", parts->pid);
    add_number(builder, "tid", parts->tid);
    add_number(builder, "client_port", parts->port);
    add_known(builder, "source", parts->source);
    add_known(builder, "os_error", parts->os_error);
    add_known(builder, "code", parts->code);
}

bool apache_error_read(Builder *builder, Span text, Row *row) {
    Reading reading = {0};
    Parts parts = {0};
    Cursor cursor = cursor_of(text);
    int reason = take_parts(&cursor, &reading, &parts, row);
    if (reason == APACHE_NO_TIME) {
        row->ts_us = NO_TIME;
        cursor = cursor_of(text);
        reason = take_rest(&cursor, true, &parts);
    }
    if (reason != FITS) return false;
    write_parts(builder, &parts, row);
    return true;
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    Row row;
    row_begin(&row);
    Parts parts = {0};
    Cursor cursor = cursor_of(line);
    int reason = take_parts(&cursor, reading, &parts, &row);
    if (reason == APACHE_NO_TIME && builder->joins) return CONTINUES;
    if (reason != FITS) return reason;
    write_parts(builder, &parts, &row);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_apache_error(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    int joins;
    Reading reading = {0};
    if (!PyArg_ParseTuple(arguments, "y*p", &text, &joins)) return NULL;
    return read_records(module, &text, read_text, &reading, joins);
}
