/* Reads access logs of Envoy: see envoy.py, which does the same in Python. */
#include "address.h"
#include "clock.h"
#include "module.h"
#include "request.h"

enum { COUNTS = 4, QUOTED = 5, MESH = 6, MAX_BEFORE = 3, MAX_TOKENS = MAX_BEFORE + COUNTS + QUOTED + MESH };

typedef struct {
    Span text;
    bool is_quoted;
} Token;

typedef struct {
    Span request, status, flags, extra;
    Token tokens[MAX_TOKENS];
    int count, before; /* the number of tokens, and of those before the counts */
} Parts;

static const char *const MESH_NAMES[] = {
    "upstream_cluster",          "upstream_local_address", "downstream_local_address",
    "downstream_remote_address", "requested_server_name",  "route_name",
};

enum { REMOTE = 3 }; /* the place of downstream_remote_address in MESH_NAMES */

/* Take a text in quotes, which ends before a quote that a blank or the end of the line follows. */
static bool take_quoted(Cursor *cursor, Span *text) {
    if (cursor->at == cursor->end || *cursor->at != '"') return false;
    const uint8_t *start = cursor->at + 1;
    for (const uint8_t *at = start; (at = find_near(at, cursor->end, '"')) != NULL; at++) {
        if (at + 1 < cursor->end && at[1] != ' ') continue;
        *text = span_of(start, at);
        cursor->at = at + 1;
        take_byte(cursor, ' ');
        return true;
    }
    return false;
}

static int take_time(Cursor *cursor, Row *row) {
    Span text;
    if (!take_byte(cursor, '[') || !take_until(cursor, ']', &text) || !take_byte(cursor, ' ')) return ENVOY_NO_TIME;
    Stamp stamp = clock_iso(text, &row->ts_us);
    if (stamp == STAMP_NONE) return ENVOY_NO_TIME;
    row->is_local = stamp == STAMP_LOCAL;
    return stamp == STAMP_OUT_OF_RANGE ? ENVOY_TIME_RANGE : FITS;
}

/* Take the tokens of the rest of the line. What follows the last token that the formats have is `extra`. */
static int take_tokens(Cursor *cursor, Parts *parts) {
    while (cursor->at < cursor->end && parts->count < MAX_TOKENS) {
        Token *token = &parts->tokens[parts->count++];
        token->is_quoted = *cursor->at == '"';
        if (!token->is_quoted) token->text = take_word(cursor);
        else if (!take_quoted(cursor, &token->text)) return ENVOY_OPEN_QUOTE;
    }
    parts->extra = rest_of(*cursor);
    return FITS;
}

static bool is_count(const Token *token) { return !token->is_quoted && is_all_digits(token->text); }

/* Return whether the counts and the quoted fields of the default format begin at this token. */
static bool has_counts_at(const Parts *parts, int place) {
    if (parts->count < place + COUNTS + QUOTED) return false;
    const Token *counts = &parts->tokens[place];
    for (int count = 0; count < COUNTS - 1; count++) {
        if (!is_count(&counts[count])) return false;
    }
    bool has_service_time = is_count(&counts[3]) || (!counts[3].is_quoted && span_is(counts[3].text, "-"));
    for (int quoted = 0; quoted < QUOTED; quoted++) {
        if (!counts[COUNTS + quoted].is_quoted) return false;
    }
    return has_service_time;
}

static int take_parts(Cursor *cursor, Parts *parts, Row *row) {
    int reason = take_time(cursor, row);
    if (reason != FITS) return reason;
    if (!take_quoted(cursor, &parts->request)) return ENVOY_NO_REQUEST;
    parts->status = take_word(cursor);
    if (parts->status.size > 3 || !is_all_digits(parts->status)) return ENVOY_STATUS;
    parts->flags = take_word(cursor);
    reason = take_tokens(cursor, parts);
    if (reason != FITS) return reason;
    while (!has_counts_at(parts, parts->before)) {
        if (++parts->before > MAX_BEFORE) return ENVOY_COUNTS;
    }
    return FITS;
}

/* Write the tokens between the flags and the counts, as Istio has them. */
static void write_before(Builder *builder, const Parts *parts) {
    static const char *const NAMES[] = {"response_code_details", "connection_termination_details"};
    int words = 0;
    for (int place = 0; place < parts->before; place++) {
        const Token *token = &parts->tokens[place];
        if (token->is_quoted && place == parts->before - 1) {
            add_known(builder, "upstream_transport_failure_reason", token->text);
        } else if (!token->is_quoted && words < 2) {
            add_known(builder, NAMES[words++], token->text);
        }
    }
}

/* Set the host: the first of the forwarded addresses, or else the address of the peer. */
static void set_host(Builder *builder, Span forwarded, Span remote, Row *row) {
    Span port = {0};
    if (without_dash(forwarded).size) {
        row->text[HOST] = address_first(forwarded);
        bool is_list = find(forwarded.at, forwarded.at + forwarded.size, ',') != NULL;
        if (is_list) add_known(builder, "forwarded_for", forwarded);
        add_known(builder, MESH_NAMES[REMOTE], remote);
    } else if (without_dash(remote).size) {
        row->text[HOST] = address_split(remote, &port);
        add_number(builder, "client_port", port);
    }
}

static Span without_unknown_proto(Span request) {
    bool is_unknown = request.size > 2 && memcmp(request.at + request.size - 2, " -", 2) == 0;
    return is_unknown ? (Span){request.at, request.size - 2} : request;
}

static void write_parts(Builder *builder, const Parts *parts, Row *row) {
    const Token *counts = &parts->tokens[parts->before], *quoted = counts + COUNTS, *mesh = quoted + QUOTED;
    int more = parts->count - parts->before - COUNTS - QUOTED;
    bool has_mesh = more >= MESH - 1;
    row->status = (int16_t)value_of(parts->status);
    row->has_status = row->status != 0; /* 0: the client got no response */
    row->has_bytes = counts[1].text.size <= MAX_DIGITS;
    if (row->has_bytes) row->bytes = value_of(counts[1].text);
    if (!span_is(parts->request, "- - -")) read_request(without_unknown_proto(parts->request), row);
    row->text[USER_AGENT] = without_dash(quoted[1].text);
    add_known(builder, "response_flags", parts->flags);
    write_before(builder, parts);
    add_number(builder, "bytes_received", counts[0].text);
    add_number(builder, "duration_ms", counts[2].text);
    add_number(builder, "upstream_service_time_ms", counts[3].text);
    set_host(builder, quoted[0].text, has_mesh ? mesh[REMOTE].text : (Span){0}, row);
    add_known(builder, "request_id", quoted[2].text);
    add_known(builder, "authority", quoted[3].text);
    add_known(builder, "upstream_host", quoted[4].text);
    for (int place = 0; has_mesh && place < more && place < MESH; place++) {
        if (place != REMOTE) add_known(builder, MESH_NAMES[place], mesh[place].text);
    }
}

/* Return the text after the quoted fields, or after Istio's fields. */
static Span find_extra(const Parts *parts, Span line) {
    const uint8_t *end = line.at + line.size;
    int used = parts->before + COUNTS + QUOTED;
    int more = parts->count - used;
    if (more >= MESH - 1) used += more < MESH ? more : MESH;
    if (used >= parts->count) return parts->extra;
    const Token *next = &parts->tokens[used];
    return span_of(next->text.at - next->is_quoted, end);
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    (void)reading;
    Row row;
    row_begin(&row);
    Parts parts;
    parts.count = parts.before = 0;
    Cursor cursor = cursor_of(line);
    int reason = take_parts(&cursor, &parts, &row);
    if (reason != FITS) return reason;
    write_parts(builder, &parts, &row);
    add_known(builder, "extra", find_extra(&parts, line));
    builder_record(builder, line.at, &row);
    return FITS;
}

static void read_text(Builder *builder, void *reading) { read_lines(builder, read_line, NULL, reading); }

PyObject *native_envoy(PyObject *module, PyObject *arguments) { return read_alone(module, arguments, read_text); }
