/* Reads logs of HAProxy: see haproxy.py, which does the same in Python. */
#include "haproxy.h"

#include "address.h"
#include "clock.h"
#include "module.h"
#include "request.h"

enum { HTTP_TIMERS = 5, TCP_TIMERS = 3, CONNECTIONS = 5, QUEUES = 2, MAX_HEAD_LENGTH = 160 };

typedef struct {
    Span client, frontend, backend, server, bind, message, status, bytes;
    Span timers[HTTP_TIMERS], connections[CONNECTIONS], queues[QUEUES];
    Span request_cookie, response_cookie, state, request_headers, response_headers, request, extra;
    size_t timer_count;
    bool is_error;
} Parts;

static const char *const HTTP_NAMES[] = {"request_ms", "queue_ms", "connect_ms", "response_ms", "duration_ms"};
static const char *const TCP_NAMES[] = {"queue_ms", "connect_ms", "duration_ms"};
static const char *const CONNECTION_NAMES[] = {
    "active_connections", "frontend_connections", "backend_connections", "server_connections", "retries",
};
static const char *const QUEUE_NAMES[] = {"server_queue", "backend_queue"};

/* Take `dd/Mon/yyyy:HH:MM:SS[.fraction][ +zzzz]] `. A time without a zone is local. */
static int take_time(Cursor *cursor, HaproxyStamp *last, Row *row) {
    Span text;
    if (!take_byte(cursor, '[') || !take_until(cursor, ']', &text) || !take_byte(cursor, ' ')) return HAPROXY_NO_TIME;
    if (text.size < HAPROXY_STAMP_SIZE) return HAPROXY_NO_TIME;
    Cursor rest = cursor_of((Span){text.at + HAPROXY_STAMP_SIZE, text.size - HAPROXY_STAMP_SIZE});
    uint8_t whole[HAPROXY_STAMP_SIZE + 6];
    memcpy(whole, text.at, HAPROXY_STAMP_SIZE);
    memcpy(whole + HAPROXY_STAMP_SIZE, " +0000", 6);
    Span fraction = {0};
    if (take_byte(&rest, '.') && !take_digits(&rest, &fraction)) return HAPROXY_NO_TIME;
    row->is_local = rest.at == rest.end;
    if (!row->is_local) {
        if (rest.end - rest.at != 6) return HAPROXY_NO_TIME;
        memcpy(whole + HAPROXY_STAMP_SIZE, rest.at, 6);
    }
    if (row->is_local && memcmp(whole, last->stamp, HAPROXY_STAMP_SIZE) == 0) {
        row->ts_us = last->us;
    } else {
        Stamp stamp = clock_access((Span){whole, sizeof whole}, &row->ts_us);
        if (stamp != STAMP_ZONED) return stamp == STAMP_NONE ? HAPROXY_NO_TIME : HAPROXY_TIME_RANGE;
        if (row->is_local) {
            memcpy(last->stamp, whole, HAPROXY_STAMP_SIZE);
            last->us = row->ts_us;
        }
    }
    int64_t fraction_us;
    clock_fraction(fraction.at, fraction.at + fraction.size, &fraction_us);
    row->ts_us += fraction_us;
    return FITS;
}

/* Take a word of numbers with slashes between them, each with or without a sign. Return how many there are; 0 if the
 * word has another form or more than `most` numbers. */
static size_t take_numbers(Cursor *cursor, Span *numbers, size_t most) {
    Cursor word = cursor_of(take_word(cursor));
    for (size_t count = 0; count < most; count++) {
        const uint8_t *start = word.at;
        if (!take_byte(&word, '-')) take_byte(&word, '+');
        if (!take_digits(&word, &numbers[count])) return 0;
        numbers[count] = span_of(start, word.at);
        if (word.at == word.end) return count + 1;
        if (!take_byte(&word, '/')) return 0;
    }
    return 0;
}

/* Take a text in braces, which ends before a brace or a quote, or at the end of the line. */
static bool take_braces(Cursor *cursor, Span *text) {
    if (cursor->at == cursor->end || *cursor->at != '{') return false;
    const uint8_t *start = cursor->at + 1, *at = start;
    for (; (at = find_near(at, cursor->end, '}')) != NULL; at++) {
        if (at + 1 == cursor->end) {
            cursor->at = cursor->end;
            break;
        }
        if (cursor->end - at >= 3 && at[1] == ' ' && (at[2] == '{' || at[2] == '"')) {
            cursor->at = at + 2;
            break;
        }
    }
    if (at == NULL) return false;
    *text = span_of(start, at);
    return true;
}

static const uint8_t *find_last(Span text, uint8_t byte) {
    for (const uint8_t *at = text.at + text.size; at > text.at; at--) {
        if (at[-1] == byte) return at - 1;
    }
    return NULL;
}

/* Take the parts of an HTTP request after the timers. */
static int take_http(Cursor *cursor, Parts *parts) {
    Span status;
    if (take_numbers(cursor, &status, 1) != 1 || status.size > 3) return HAPROXY_STATUS;
    if (is_all_digits(status)) parts->status = status;
    if (take_numbers(cursor, &parts->bytes, 1) != 1) return HAPROXY_BYTES;
    parts->request_cookie = take_word(cursor);
    parts->response_cookie = take_word(cursor);
    return FITS;
}

/* Take a text from a quote to the last quote that a blank or the end of the line follows. HAProxy cuts long lines: a
 * text without a closing quote extends to the end of the line. */
static void take_request(Cursor *cursor, Parts *parts) {
    if (!take_byte(cursor, '"')) return;
    const uint8_t *closing = cursor->end;
    for (const uint8_t *at = cursor->at; (at = find_near(at, cursor->end, '"')) != NULL; at++) {
        if (at + 1 < cursor->end && at[1] != ' ') continue;
        closing = at;
        break;
    }
    parts->request = span_of(cursor->at, closing);
    cursor->at = closing < cursor->end ? closing + 1 : closing;
    take_byte(cursor, ' ');
}

static int take_session(Cursor *cursor, Parts *parts) {
    Span target = take_word(cursor);
    const uint8_t *slash = find_near(target.at, target.at + target.size, '/');
    if (slash == NULL) return HAPROXY_NO_SERVER;
    parts->backend = span_of(target.at, slash);
    parts->server = span_of(slash + 1, target.at + target.size);
    parts->timer_count = take_numbers(cursor, parts->timers, HTTP_TIMERS);
    int reason = FITS;
    if (parts->timer_count == HTTP_TIMERS) reason = take_http(cursor, parts);
    else if (parts->timer_count != TCP_TIMERS) return HAPROXY_TIMERS;
    else if (take_numbers(cursor, &parts->bytes, 1) != 1) return HAPROXY_BYTES;
    if (reason != FITS) return reason;
    parts->state = take_word(cursor);
    if (take_numbers(cursor, parts->connections, CONNECTIONS) != CONNECTIONS) return HAPROXY_CONNECTIONS;
    if (take_numbers(cursor, parts->queues, QUEUES) != QUEUES) return HAPROXY_CONNECTIONS;
    if (parts->timer_count == HTTP_TIMERS) {
        if (take_braces(cursor, &parts->request_headers)) take_braces(cursor, &parts->response_headers);
        take_request(cursor, parts);
    }
    parts->extra = rest_of(*cursor);
    return FITS;
}

static int take_parts(Cursor *cursor, HaproxyStamp *last, Parts *parts, Row *row) {
    parts->client = take_word(cursor);
    Span port;
    Span host = address_split(parts->client, &port);
    if (host.size == 0 || port.size == 0) return HAPROXY_NO_CLIENT;
    int reason = take_time(cursor, last, row);
    if (reason != FITS) return reason;
    parts->frontend = take_word(cursor);
    if (parts->frontend.size > 1 && parts->frontend.at[parts->frontend.size - 1] == ':') {
        Span bind = {parts->frontend.at, parts->frontend.size - 1};
        const uint8_t *slash = find_last(bind, '/');
        if (slash == NULL) return HAPROXY_NO_SERVER;
        parts->frontend = span_of(bind.at, slash);
        parts->bind = span_of(slash + 1, bind.at + bind.size);
        parts->message = rest_of(*cursor);
        parts->is_error = true;
        return FITS;
    }
    return take_session(cursor, parts);
}

/* Add the number, unless it is negative: then HAProxy does not know it. */
static void add_signed(Builder *builder, const char *key, Span number) {
    if (number.size && number.at[0] == '-') return;
    if (number.size && number.at[0] == '+') number = (Span){number.at + 1, number.size - 1};
    add_number(builder, key, number);
}

static void write_session(Builder *builder, const Parts *parts, Row *row) {
    if (parts->status.size) {
        row->has_status = true;
        row->status = (int16_t)value_of(parts->status);
    }
    Span bytes = parts->bytes;
    if (bytes.size && bytes.at[0] == '+') bytes = (Span){bytes.at + 1, bytes.size - 1};
    if (is_all_digits(bytes)) {
        row->has_bytes = true;
        row->bytes = value_of(bytes);
    }
    if (parts->request.size) read_request(parts->request, row);
    add_known(builder, "backend", parts->backend);
    add_known(builder, "server", parts->server);
    const char *const *names = parts->timer_count == HTTP_TIMERS ? HTTP_NAMES : TCP_NAMES;
    for (size_t place = 0; place < parts->timer_count; place++) {
        add_signed(builder, names[place], parts->timers[place]);
    }
    add_known(builder, "request_cookie", parts->request_cookie);
    add_known(builder, "response_cookie", parts->response_cookie);
    add_known(builder, "termination_state", parts->state);
    for (int place = 0; place < CONNECTIONS; place++) {
        add_signed(builder, CONNECTION_NAMES[place], parts->connections[place]);
    }
    for (int place = 0; place < QUEUES; place++) add_signed(builder, QUEUE_NAMES[place], parts->queues[place]);
    add_known(builder, "request_headers", parts->request_headers);
    add_known(builder, "response_headers", parts->response_headers);
    add_known(builder, "extra", parts->extra);
}

static void write_parts(Builder *builder, const Parts *parts, Row *row) {
    Span port, frontend = parts->frontend;
    row->text[HOST] = address_split(parts->client, &port);
    row->text[MESSAGE] = parts->message;
    add_number(builder, "client_port", port);
    bool has_tls = frontend.size > 1 && frontend.at[frontend.size - 1] == '~';
    if (has_tls) frontend.size--;
    add_known(builder, "frontend", frontend);
    if (has_tls) builder_json_member(builder, span_of_text("tls"), span_of_text("true"));
    add_known(builder, "bind", parts->bind);
    if (!parts->is_error) write_session(builder, parts, row);
}

/* Read `[LEVEL] [ddd/HHMMSS ](pid) : message`, which HAProxy writes to its standard error. The time has no year: the
 * record has no time of its own. */
static bool read_notice(Builder *builder, Cursor line, Row *row) {
    static const char *const LEVELS[][2] = {
        {"DIAG", "debug"}, {"NOTICE", "notice"}, {"WARNING", "warning"}, {"ALERT", "alert"}, {"EMERG", "emergency"},
    };
    Span level, pid, day, time;
    if (!take_byte(&line, '[') || !take_until(&line, ']', &level)) return false;
    const char *severity = NULL;
    for (size_t place = 0; place < sizeof LEVELS / sizeof *LEVELS; place++) {
        if (span_is(level, LEVELS[place][0])) severity = LEVELS[place][1];
    }
    if (severity == NULL || !take_byte(&line, ' ')) return false;
    while (take_byte(&line, ' ')) {
    }
    if (take_digits(&line, &day) && !(take_byte(&line, '/') && take_digits(&line, &time) && take_byte(&line, ' '))) {
        return false;
    }
    if (!take_byte(&line, '(') || !take_digits(&line, &pid) || !take_text(&line, ") : ")) return false;
    row->ts_us = NO_TIME;
    row->text[SEVERITY] = span_of_text(severity);
    row->text[MESSAGE] = rest_of(line);
    add_number(builder, "pid", pid);
    return true;
}

/* Read `Connect from host:port to host:port (frontend/MODE)`, which HAProxy logs without the option httplog or tcplog. */
static bool read_connect(Builder *builder, Cursor line, Row *row) {
    Span message = rest_of(line), port, frontend, mode;
    if (!take_text(&line, "Connect from ")) return false;
    Span client = address_split(take_word(&line), &port);
    if (client.size == 0 || port.size == 0 || !take_text(&line, "to ")) return false;
    Span target = take_word(&line);
    if (!take_byte(&line, '(') || !take_until(&line, '/', &frontend) || !take_until(&line, ')', &mode)) return false;
    if (line.at != line.end) return false;
    row->ts_us = NO_TIME;
    row->text[HOST] = client;
    row->text[MESSAGE] = message;
    add_number(builder, "client_port", port);
    add_known(builder, "frontend", frontend);
    add_known(builder, "mode", mode);
    add_known(builder, "target", target);
    return true;
}

int haproxy_read(Builder *builder, Span line, HaproxyStamp *last, Row *row) {
    Cursor cursor = cursor_of(line);
    if (line.size == 0) return HAPROXY_NO_CLIENT;
    if (line.at[0] == '[' && read_notice(builder, cursor, row)) return FITS;
    if (line.at[0] == 'C' && read_connect(builder, cursor, row)) return FITS;
    Parts parts = {0};
    int reason = take_parts(&cursor, last, &parts, row);
    if (reason == FITS) write_parts(builder, &parts, row);
    return reason;
}

/* Return the line after `haproxy[pid]: ` or `haproxy: `, the end of syslog's head; set `pid`. Return the whole line if
 * it has no such head. */
static Span skip_head(Span line, Span *pid) {
    static const char NAME[] = "haproxy";
    size_t size = sizeof NAME - 1;
    const uint8_t *end = line.at + (line.size < MAX_HEAD_LENGTH ? line.size : MAX_HEAD_LENGTH);
    for (const uint8_t *at = line.at; (at = find(at, end, 'h')) != NULL; at++) {
        Cursor cursor = {at, line.at + line.size};
        *pid = (Span){0};
        if ((at > line.at && at[-1] != ' ' && at[-1] != '>') || !take_text(&cursor, NAME)) continue;
        if (take_byte(&cursor, '[') && !(take_digits(&cursor, pid) && take_byte(&cursor, ']'))) continue;
        if (take_text(&cursor, ": ")) return rest_of(cursor);
        at += size - 1;
    }
    *pid = (Span){0};
    return line;
}

/* Return whether the line begins with `host:port [`, and not with the head of syslog. */
static bool begins_with_client(Span line) {
    Cursor cursor = cursor_of(line);
    Span port, host = address_split(take_word(&cursor), &port);
    return host.size && port.size && take_byte(&cursor, '[');
}

INLINED int read_line(Builder *builder, Span line, void *last) {
    Row row;
    row_begin(&row);
    Span pid = {0};
    Span text = begins_with_client(line) ? line : skip_head(line, &pid);
    int reason = haproxy_read(builder, text, last, &row);
    if (reason != FITS) return reason;
    bool has_head = text.at > line.at && *line.at != 'h'; /* with a time, which the format syslog reads */
    if (has_head && row.ts_us == NO_TIME) return HAPROXY_NO_TIME;
    if (pid.size && text.at[0] != '[') add_number(builder, "pid", pid);
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *last) { read_lines(builder, read_line, NULL, last); }

PyObject *native_haproxy(PyObject *module, PyObject *arguments) {
    Py_buffer text;
    HaproxyStamp last = {0};
    return PyArg_ParseTuple(arguments, "y*", &text) ? read_rows(module, &text, read_text, &last) : NULL;
}
