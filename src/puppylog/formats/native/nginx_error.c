/* Reads nginx's error log: see nginx_error.py, which does the same in Python. */
#include "address.h"
#include "clock.h"
#include "error_logs.h"
#include "module.h"
#include "request.h"
#include "severity.h"

enum { STAMP_SIZE = 19, MAX_CANDIDATES = 4, MAX_STDERR_LINES = 64, MAX_STDERR_BYTES = 64 * 1024 };

typedef enum {
    SERVER,
    REQUEST,
    SUBREQUEST,
    LOGIN,
    UPSTREAM,
    CLIENT_BYTES,
    UPSTREAM_BYTES,
    HTTP_HOST,
    REFERRER,
    PARTS
} Part;

/* What may follow the client. A text that ends with a quote begins a value in quotes. */
static const char *const BEGINNINGS[] = {
    ", server: ",     ", request: \"",           ", subrequest: \"",          ", login: \"",
    ", upstream: \"", ", bytes from/to client:", ", bytes from/to upstream:", ", host: \"",
    ", referrer: \"",
};

typedef struct {
    uint8_t stamp[STAMP_SIZE]; /* of the line before, because neighbouring lines mostly have the same stamp */
    int64_t us;
    const uint8_t *until; /* lines before it belong to the record that was read last */
} Reading;

typedef struct {
    Span level, pid, tid, connection, message, client;
    Span parts[PARTS];
} Parts;

/* Take `yyyy/mm/dd HH:MM:SS `. */
static int take_time(Cursor *cursor, Reading *reading, Row *row) {
    const uint8_t *at = cursor->at;
    if (cursor->end - at <= STAMP_SIZE || at[4] != '/' || at[STAMP_SIZE] != ' ') return NGINX_NO_TIME;
    if (memcmp(at, reading->stamp, STAMP_SIZE) != 0) {
        Stamp stamp = clock_iso((Span){at, STAMP_SIZE}, &reading->us);
        if (stamp != STAMP_LOCAL) {
            memset(reading->stamp, 0, STAMP_SIZE);
            return stamp == STAMP_NONE ? NGINX_NO_TIME : NGINX_TIME_RANGE;
        }
        memcpy(reading->stamp, at, STAMP_SIZE);
    }
    row->ts_us = reading->us;
    row->is_local = true;
    cursor->at += STAMP_SIZE + 1;
    return FITS;
}

/* Take `[level] `, and check the level. */
static bool take_level(Cursor *cursor, Span *level) {
    if (!take_byte(cursor, '[') || !take_until(cursor, ']', level) || !take_byte(cursor, ' ')) return false;
    return severity_find(*level).size > 0;
}

/* Take `[level] pid#tid: [*connection ]`. */
static int take_head(Cursor *cursor, Parts *parts) {
    if (!take_level(cursor, &parts->level)) return NGINX_NO_LEVEL;
    if (!take_digits(cursor, &parts->pid) || !take_byte(cursor, '#') || !take_digits(cursor, &parts->tid) ||
        !take_text(cursor, ": ")) {
        return NGINX_NO_PROCESS;
    }
    Cursor after = *cursor;
    if (take_byte(&after, '*') && take_digits(&after, &parts->connection) && take_byte(&after, ' ')) *cursor = after;
    else parts->connection = (Span){0};
    return FITS;
}

/* Return the number of the part that begins here, and move behind its beginning; PARTS if there is none. */
static Part take_beginning(Cursor *cursor) {
    if (cursor->at == cursor->end || *cursor->at != ',') return PARTS;
    for (Part part = 0; part < PARTS; part++) {
        if (take_text(cursor, BEGINNINGS[part])) return part;
    }
    return PARTS;
}

/* Take the rest of a value in quotes, and its closing quote. The end of the line or another part follows the quote,
 * because nginx does not escape quotes in a request. A value without such a quote was cut: it extends to the end. */
static Span take_quoted(Cursor *cursor) {
    const uint8_t *start = cursor->at;
    for (const uint8_t *at = start; (at = find(at, cursor->end, '"')) != NULL; at++) {
        Cursor after = {at + 1, cursor->end};
        if (after.at < after.end && take_beginning(&after) == PARTS) continue;
        cursor->at = at + 1;
        return span_of(start, at);
    }
    cursor->at = cursor->end;
    return span_of(start, cursor->end);
}

static Span take_bare(Cursor *cursor) {
    const uint8_t *start = cursor->at, *comma = find(start, cursor->end, ',');
    cursor->at = comma != NULL ? comma : cursor->end;
    return span_of(start, cursor->at);
}

/* Take the client and what follows it, up to the end of the line. */
static bool take_context(Cursor cursor, Parts *parts) {
    memset(parts->parts, 0, sizeof parts->parts);
    parts->client = take_bare(&cursor);
    if (parts->client.size == 0 || find(parts->client.at, cursor.at, ' ') != NULL) return false;
    while (cursor.at < cursor.end) {
        Part part = take_beginning(&cursor);
        if (part == PARTS || parts->parts[part].at != NULL) return false;
        parts->parts[part] = cursor.at[-1] == '"' ? take_quoted(&cursor) : take_bare(&cursor);
    }
    return true;
}

/* Divide the rest of the line into the message and what nginx says about the client after it. */
static void take_message(Cursor cursor, Parts *parts) {
    static const char MARK[] = ", client: ";
    const uint8_t *start = cursor.at;
    int candidates = 0;
    parts->message = rest_of(cursor);
    while (candidates < MAX_CANDIDATES && (cursor.at = find(cursor.at, cursor.end, ',')) != NULL) {
        const uint8_t *comma = cursor.at++;
        Cursor after = {comma, cursor.end};
        if (!take_text(&after, MARK)) continue;
        candidates++;
        if (take_context(after, parts)) {
            parts->message = span_of(start, comma);
            return;
        }
    }
    memset(parts->parts, 0, sizeof parts->parts);
    parts->client = (Span){0};
}

/* nginx writes what a FastCGI program wrote to its standard error with its newlines, and what it says about the client
 * after it. Find that in the lines after the first one, extend the message up to it, and set `until`. */
static void take_stderr(const Builder *builder, Span line, Reading *reading, Parts *parts) {
    Cursor cursor = cursor_of(parts->message);
    size_t left = (size_t)(builder->end - line.at);
    const uint8_t *limit = line.at + (left < MAX_STDERR_BYTES ? left : MAX_STDERR_BYTES);
    if (!take_text(&cursor, "FastCGI sent in stderr: \"")) return;
    const uint8_t *newline = find(line.at + line.size, limit, '\n');
    for (int count = 0; count < MAX_STDERR_LINES && newline != NULL; count++) {
        const uint8_t *start = newline + 1;
        newline = find(start, limit, '\n');
        if (newline == NULL) return;
        const uint8_t *end = newline - (newline > start && newline[-1] == '\r');
        if (end - start > STAMP_SIZE && start[4] == '/' && start[7] == '/' && start[13] == ':') return;
        Parts found = {0};
        take_message((Cursor){start, end}, &found);
        if (found.client.size == 0) continue;
        parts->message.size = (size_t)(found.message.at + found.message.size - parts->message.at);
        parts->client = found.client;
        memcpy(parts->parts, found.parts, sizeof parts->parts);
        reading->until = newline;
        return;
    }
}

static void write_request(Builder *builder, Span request, Row *row) {
    Row found;
    if (request.size == 0) return;
    row_begin(&found);
    read_request(request, &found);
    if (found.text[METHOD].size == 0) {
        add_known(builder, "request", request);
        return;
    }
    row->text[METHOD] = found.text[METHOD];
    row->text[ROUTE] = found.text[ROUTE];
    row->text[PROTO] = found.text[PROTO];
}

static void write_parts(Builder *builder, const Parts *parts, Row *row) {
    Span port = {0};
    row->text[MESSAGE] = parts->message;
    row_set_severity(builder, row, parts->level);
    add_number(builder, "pid", parts->pid);
    add_number(builder, "tid", parts->tid);
    add_number(builder, "connection", parts->connection);
    if (parts->client.size == 0) return;
    row->text[HOST] = address_split_sure(parts->client, &port);
    row->text[REFERER] = without_dash(parts->parts[REFERRER]);
    add_number(builder, "client_port", port);
    add_known(builder, "server", parts->parts[SERVER]);
    write_request(builder, parts->parts[REQUEST], row);
    add_known(builder, "subrequest", parts->parts[SUBREQUEST]);
    add_known(builder, "login", parts->parts[LOGIN]);
    add_known(builder, "upstream", parts->parts[UPSTREAM]);
    add_known(builder, "client_bytes", parts->parts[CLIENT_BYTES]);
    add_known(builder, "upstream_bytes", parts->parts[UPSTREAM_BYTES]);
    add_known(builder, "http_host", parts->parts[HTTP_HOST]);
}

bool nginx_error_read(Builder *builder, Span text, Row *row) {
    Reading reading = {0};
    Parts parts = {0};
    Cursor cursor = cursor_of(text);
    if (take_time(&cursor, &reading, row) != FITS || take_head(&cursor, &parts) != FITS) return false;
    take_message(cursor, &parts);
    write_parts(builder, &parts, row);
    return true;
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    if (line.at < reading->until) {
        builder->joined++;
        return FITS;
    }
    Row row;
    row_begin(&row);
    Parts parts = {0};
    Cursor cursor = cursor_of(line);
    int reason = take_text(&cursor, "nginx: ") ? FITS : take_time(&cursor, reading, &row);
    if (reason == NGINX_NO_TIME && builder->joins) return CONTINUES;
    if (reason != FITS) return reason;
    if (row.ts_us != NO_TIME) reason = take_head(&cursor, &parts);
    else if (!take_level(&cursor, &parts.level)) reason = builder->joins ? CONTINUES : NGINX_NO_LEVEL;
    if (reason != FITS) return reason;
    take_message(cursor, &parts);
    if (builder->joins && parts.client.size == 0 && row.ts_us != NO_TIME) take_stderr(builder, line, reading, &parts);
    write_parts(builder, &parts, &row);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_nginx_error(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    int joins;
    Reading reading = {0};
    if (!PyArg_ParseTuple(arguments, "y*p", &text, &joins)) return NULL;
    return read_records(module, &text, read_text, &reading, joins);
}
