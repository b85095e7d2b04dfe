#include "fields.h"

#include "clock.h"
#include "host.h"
#include "request.h"
#include "scan.h"
#include "severity.h"
#include "stamp.h"

enum { MAX_INTEGER_LENGTH = 19, MAX_TIME_LENGTH = 100, MAX_DEFERRED = 16 };

/* The earliest time that a number may mean, in March 1973. A smaller number is a duration or a count, and no time. */
static const int64_t EARLIEST_US = INT64_C(100000000) * 1000000;

static inline bool begins_with(Span text, const char *beginning) {
    size_t size = strlen(beginning);
    return text.size >= size && memcmp(text.at, beginning, size) == 0;
}

/* Return the text without brackets, or without what .NET writes around milliseconds. */
static Span unwrap_time(Span text) {
    if (text.size >= 2 && text.at[0] == '[' && text.at[text.size - 1] == ']') return (Span){text.at + 1, text.size - 2};
    if (text.size >= 9 && begins_with(text, "/Date(") && memcmp(text.at + text.size - 2, ")/", 2) == 0)
        return (Span){text.at + 6, text.size - 8};
    return text;
}

/* Read a time in any style. `zone` is set to its zone if that may mean several. */
static bool read_time(Span text, Row *row, Span *zone) {
    int64_t us;
    *zone = (Span){0};
    text = unwrap_time(text);
    Stamp stamp = clock_iso(text, &us);
    if (stamp == STAMP_NONE) stamp = clock_access(text, &us);
    if (stamp == STAMP_NONE) {
        stamp = clock_epoch(text, &us);
        if (stamp == STAMP_ZONED && us < EARLIEST_US) return false;
    }
    if (stamp == STAMP_NONE && text.size <= MAX_TIME_LENGTH) {
        Dating dating = {0};
        FoundStamp found;
        const uint8_t *end = text.at + text.size;
        if (!stamp_read(&dating, text.at, end, &found) || found.end != end) return false;
        *zone = found.zone;
        us = found.us;
        stamp = found.is_local ? STAMP_LOCAL : STAMP_ZONED;
    }
    if (stamp != STAMP_ZONED && stamp != STAMP_LOCAL) return false;
    row->ts_us = us;
    row->is_local = stamp == STAMP_LOCAL;
    return true;
}

/* Read an integer without leading zeros. */
static bool read_integer(Span text, int64_t *number) {
    bool is_negative = text.size > 0 && text.at[0] == '-';
    size_t digits = text.size - is_negative, place = is_negative;
    if (digits == 0 || digits > MAX_INTEGER_LENGTH || (text.at[place] == '0' && text.size > 1)) return false;
    uint64_t size = 0;
    for (; place < text.size; place++) {
        if (text.at[place] < '0' || text.at[place] > '9') return false;
        size = size * 10 + (uint64_t)(text.at[place] - '0');
    }
    if (size > INT64_MAX) return false;
    *number = is_negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool read_bytes(Span text, Row *row) {
    int64_t number;
    if (!read_integer(text, &number) || number < 0) return false;
    row->has_bytes = true;
    row->bytes = number;
    return true;
}

static Span without_newline(Span text) {
    if (text.size && text.at[text.size - 1] == '\n') text.size--;
    if (text.size && text.at[text.size - 1] == '\r') text.size--;
    return text;
}

typedef struct {
    Row *row;
    Extras *extras;
    uint32_t signs;   /* a bit for each of NAME_SIGNS */
    bool has_request; /* known when the fields are read that depend on it */
    int64_t nanoseconds;
    uint32_t won;            /* a bit for each field that a member fills */
    Member *winners[FIELDS]; /* these members; other places are not set */
    Row request;             /* the columns of the request */
} Reading;

static inline bool has_won(const Reading *reading, int field) { return reading->won >> field & 1; }

static inline void set_winner(Reading *reading, int field, Member *member) {
    reading->won |= 1u << field;
    reading->winners[field] = member;
}

static inline bool has_sign(const Reading *reading, int sign) { return reading->signs >> (sign + 1) & 1; }

/* Read a status of HTTP. In a line with a request, a sure name may have another number: no answer was sent. */
static bool read_status(const Reading *reading, const Member *member) {
    int64_t number, least = reading->has_request && member->name.rule == RULE_SURE ? -1 : 100;
    if (!read_integer(member->text, &number) || number < least || number > (reading->has_request ? 999 : 599))
        return false;
    reading->row->has_status = true;
    reading->row->status = (int16_t)number;
    return true;
}

static bool read_nanoseconds(Reading *reading, Span text) {
    int64_t number;
    if (!read_integer(text, &number) || number < 0 || number > 999999999) return false;
    reading->nanoseconds = number;
    return true;
}

static const uint8_t *skip_white(const uint8_t *at, const uint8_t *end) {
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n')) at++;
    return at;
}

/* Read the first level in a list of texts in JSON, such as `["info","savedobjects-service"]`. A list with anything else
 * has none. */
static bool read_listed_severity(Reading *reading, Span json) {
    static const char *const LEVELS[] = {"fatal", "error", "warning", "info", "debug"};
    const uint8_t *at = json.at, *end = json.at + json.size;
    if (json.size == 0 || *at != '[') return false;
    Span level = {0};
    do {
        at = skip_white(at + 1, end);
        if (at == end || *at++ != '"') return false;
        const uint8_t *start = at;
        while (at < end && *at != '"' && *at != '\\') at++;
        if (at == end || *at != '"') return false;
        for (size_t place = 0; level.size == 0 && place < sizeof LEVELS / sizeof *LEVELS; place++) {
            if (span_is(span_of(start, at), LEVELS[place])) level = span_of(start, at);
        }
        at = skip_white(at + 1, end);
    } while (at < end && *at == ',');
    if (level.size == 0) return false;
    reading->row->text[SEVERITY] = severity_read(level, NOTATION_KEYWORDS, &reading->extras->severity_text);
    return true;
}

static bool read_severity(Reading *reading, const Member *member) {
    int notation = member->name.notation;
    if (notation == NOTATION_LISTED) return read_listed_severity(reading, member->json);
    if (notation == NOTATION_MONGODB && !has_sign(reading, SIGN_MONGODB)) return false;
    if (notation == NOTATION_APPLE && !has_sign(reading, SIGN_APPLE)) return false;
    if (notation == NOTATION_WORDS) {
        if (has_sign(reading, SIGN_GELF)) notation = NOTATION_SYSLOG;
        else if (has_sign(reading, SIGN_NEXTCLOUD)) notation = NOTATION_NEXTCLOUD;
        else if (has_sign(reading, SIGN_WINDOWS)) notation = NOTATION_WINDOWS;
    }
    Span kept, severity = severity_read(member->text, notation, &kept);
    if (severity.size == 0) return false;
    reading->row->text[SEVERITY] = severity;
    reading->extras->severity_text = kept;
    return true;
}

static bool read_host(Reading *reading, Span text) {
    Host host;
    if (!host_read(text, &host)) return false;
    reading->row->text[HOST] = host.name;
    reading->extras->client_port = host.port;
    reading->extras->forwarded_for = host.is_first ? text : (Span){0};
    reading->extras->forwarded_list = (Span){0};
    return true;
}

/* Read a list of addresses in JSON: the first one is the host. Such a list stays in `forwarded_for`. */
static bool read_host_list(Reading *reading, Span json) {
    const uint8_t *at = json.at, *end = json.at + json.size;
    if (json.size == 0 || *at++ != '[') return false;
    at = skip_white(at, end);
    if (at == end || *at++ != '"') return false;
    const uint8_t *start = at;
    while (at < end && *at != '"' && *at != '\\') at++;
    if (at == end || *at != '"') return false;
    Span first = span_of(start, at);
    at = skip_white(at + 1, end);
    if (at == end || *at != ',' || find(start, start + first.size, ',') != NULL || !read_host(reading, first))
        return false;
    reading->extras->forwarded_list = json;
    return true;
}

static const int COLUMNS[FIELDS] = {
    [FIELD_MESSAGE] = MESSAGE, [FIELD_RUSER] = RUSER,     [FIELD_METHOD] = METHOD,         [FIELD_ROUTE] = ROUTE,
    [FIELD_PROTO] = PROTO,     [FIELD_REFERER] = REFERER, [FIELD_USER_AGENT] = USER_AGENT,
};

static bool read_whole_request(Reading *reading, Span text) {
    Row request;
    row_begin(&request);
    read_request(text, &request);
    if (request.text[METHOD].size == 0) return false;
    reading->request = request;
    return true;
}

static bool is_method_of_http(Span text) {
    static const char *const METHODS[] = {
        "GET",   "POST",      "HEAD",  "PUT",  "DELETE", "OPTIONS", "PATCH",  "CONNECT", "TRACE",  "PROPFIND",
        "PURGE", "PROPPATCH", "MKCOL", "COPY", "MOVE",   "LOCK",    "UNLOCK", "REPORT",  "SEARCH", "QUERY",
    };
    for (size_t place = 0; place < sizeof METHODS / sizeof *METHODS; place++) {
        if (span_is(text, METHODS[place])) return true;
    }
    return false;
}

static bool read_text(Reading *reading, const Name *name, Span text) {
    switch (name->field) {
    case FIELD_HOST: return read_host(reading, text);
    case FIELD_MESSAGE: text = without_newline(text); break;
    case FIELD_REQUEST: return read_whole_request(reading, text);
    case FIELD_METHOD:
        if (name->rule == RULE_METHOD ? !is_method_of_http(text) : !is_method(text)) return false;
        break;
    case FIELD_ROUTE:
        if (text.at[0] != '/' && !begins_with(text, "http://") && !begins_with(text, "https://") && !span_is(text, "*"))
            return false;
        break;
    case FIELD_PROTO:
        if (!begins_with(text, "HTTP/")) return false;
        break;
    }
    reading->row->text[COLUMNS[name->field]] = text;
    return true;
}

static bool read_list(Reading *reading, const Member *member) {
    if (member->name.field == FIELD_HOST) return read_host_list(reading, member->json);
    return member->name.notation == NOTATION_LISTED && read_listed_severity(reading, member->json);
}

/* Put the value into the columns of its field; return false if the value does not fit. */
static bool read_value(Reading *reading, const Member *member) {
    if (member->kind == VALUE_OTHER) return read_list(reading, member);
    if (member->kind != VALUE_TEXT && member->kind != VALUE_NUMBER) return false;
    switch (member->name.field) {
    case FIELD_TIME: return read_time(member->text, reading->row, &reading->extras->zone);
    case FIELD_NANOSECONDS: return read_nanoseconds(reading, member->text);
    case FIELD_SEVERITY: return read_severity(reading, member);
    case FIELD_STATUS: return read_status(reading, member);
    case FIELD_BYTES: return read_bytes(member->text, reading->row);
    }
    return member->kind == VALUE_TEXT && read_text(reading, &member->name, member->text);
}

/* Return whether the field is read after all others, when the signs of the line and its request are known. */
static inline bool is_deferred(const Member *member) {
    int rule = member->name.rule, field = member->name.field;
    return rule == RULE_REQUEST || rule == RULE_NO_REQUEST || rule == RULE_SENDER || field == FIELD_STATUS ||
           field == FIELD_SEVERITY;
}

/* Return whether the name of a deferred field means its column in this line. */
static bool is_meant(const Reading *reading, const Member *member) {
    switch (member->name.rule) {
    case RULE_REQUEST: return reading->has_request;
    case RULE_NO_REQUEST: return !reading->has_request;
    case RULE_SENDER: return has_sign(reading, SIGN_GELF) || has_sign(reading, SIGN_LOGSTASH);
    }
    return true;
}

/* Let the member fill the columns of its field, if it fits and no member with a better name fills them. */
static inline void offer(Reading *reading, Member *member) {
    int field = member->name.field;
    if (has_won(reading, field) && member->name.rank >= reading->winners[field]->name.rank) return;
    if (read_value(reading, member)) set_winner(reading, field, member);
}

static inline bool is_unknown(const Member *member) {
    return member->kind == VALUE_NULL ||
           (member->kind == VALUE_TEXT && (without_dash(member->text).size == 0 || span_is(member->text, "--")));
}

/* Return whether the name means a severity in the lines of all formats. */
static inline bool is_surely_severity(const Member *member) {
    int notation = member->name.notation;
    return member->name.field == FIELD_SEVERITY && notation != NOTATION_MONGODB && notation != NOTATION_APPLE &&
           notation != NOTATION_LISTED;
}

/* Return whether the value remains an attribute although it fills a column: a list has more than a level. */
static inline bool is_kept(const Member *member) { return member->name.notation == NOTATION_LISTED; }

/* Add the nanoseconds to a time in whole seconds. */
static void add_nanoseconds(Reading *reading) {
    const Member *time = has_won(reading, FIELD_TIME) ? reading->winners[FIELD_TIME] : NULL;
    bool is_whole = time != NULL && time->text.size <= 10;
    for (size_t place = 0; is_whole && place < time->text.size; place++) is_whole = is_digit(time->text.at[place]);
    if (is_whole) reading->row->ts_us += reading->nanoseconds / 1000;
    else reading->won &= ~(1u << FIELD_NANOSECONDS);
}

/* Datadog writes the severity as `status`. Its words are few, and of them `ok` says nothing about a severity. */
static bool is_status_of_datadog(const Member *member) {
    static const char *const WORDS[] = {"emergency", "alert",  "critical", "error", "warning",
                                        "warn",      "notice", "info",     "debug", "trace"};
    if (member->name.field != FIELD_STATUS || member->name.rule != RULE_REQUEST || member->kind != VALUE_TEXT)
        return false;
    for (size_t place = 0; place < sizeof WORDS / sizeof *WORDS; place++) {
        if (span_is(member->text, WORDS[place])) return true;
    }
    return false;
}

static void read_status_of_datadog(Reading *reading, Member *members, size_t count) {
    for (Member *member = members; member < members + count; member++) {
        if (!is_status_of_datadog(member) || !read_severity(reading, member)) continue;
        set_winner(reading, FIELD_SEVERITY, member);
        return;
    }
}

/* Choose the members that fill the columns. Severities are read last, because any member may be a sign. */
static void choose(Reading *reading, Member *members, size_t count) {
    Member *deferred[MAX_DEFERRED];
    size_t waiting = 0;
    bool has_severity = false;
    for (Member *member = members; member < members + count; member++) {
        reading->signs |= 1u << member->name.sign;
        if (member->name.field == FIELD_NONE) continue;
        if (is_unknown(member)) {
            member->is_used = !is_kept(member);
            has_severity |= is_surely_severity(member);
        } else if (!is_deferred(member)) {
            offer(reading, member);
        } else {
            if (waiting < MAX_DEFERRED) deferred[waiting] = member;
            waiting++;
        }
    }
    static const uint32_t OF_REQUEST =
        1u << FIELD_METHOD | 1u << FIELD_REQUEST | 1u << FIELD_PROTO | 1u << FIELD_ROUTE | 1u << FIELD_BYTES;
    reading->has_request = (reading->won & OF_REQUEST) != 0;
    bool is_complete = waiting <= MAX_DEFERRED;
    for (size_t place = 0; place < (is_complete ? waiting : count); place++) {
        Member *member = is_complete ? deferred[place] : &members[place];
        if (!is_complete && (member->name.field == FIELD_NONE || member->is_used || !is_deferred(member))) continue;
        has_severity |= is_surely_severity(member);
        if (is_meant(reading, member)) offer(reading, member);
    }
    if (has_sign(reading, SIGN_DATADOG) && !has_won(reading, FIELD_SEVERITY))
        read_status_of_datadog(reading, members, count);
    if (has_sign(reading, SIGN_CLEF) && !has_severity) reading->row->text[SEVERITY] = span_of_text("info");
}

void fields_read(Member *members, size_t count, Row *row, Extras *extras) {
    Reading reading; /* `request` is large, and set only if it is used */
    reading.row = row;
    reading.extras = extras;
    reading.signs = 0;
    reading.has_request = false;
    reading.won = 0;
    *extras = (Extras){0};
    row->ts_us = NO_TIME;
    choose(&reading, members, count);
    if (has_won(&reading, FIELD_REQUEST)) { /* the whole request fills the columns of its parts */
        for (int part = 0; part < 3; part++) {
            row->text[METHOD + part] = reading.request.text[METHOD + part];
            reading.won &= ~(1u << (FIELD_METHOD + part));
        }
    }
    if (has_won(&reading, FIELD_NANOSECONDS)) add_nanoseconds(&reading);
    for (uint32_t won = reading.won; won; won &= won - 1) {
        Member *winner = reading.winners[lowest_bit(won)];
        winner->is_used = !is_kept(winner);
    }
}

static bool has_used(const Member *members, size_t count) {
    for (size_t place = 0; place < count; place++) {
        if (members[place].is_used) return true;
    }
    return false;
}

static void write_members(Builder *builder, const Member *members, size_t count) {
    for (size_t place = 0; place < count; place += 1 + members[place].inner) {
        const Member *member = &members[place];
        if (member->is_used) continue;
        if (has_used(member + 1, member->inner)) {
            Mark mark = builder_open_member(builder, member->key);
            write_members(builder, member + 1, member->inner);
            builder_close_member(builder, mark);
        } else if (member->json.at == NULL) {
            builder_text_member(builder, member->key, member->text);
        } else {
            builder_json_member(builder, member->key, member->json);
        }
    }
}

/* Return whether a member that is not used has the key. An object without remaining members counts, too. */
static bool has_key(const Member *members, size_t count, const char *key) {
    for (size_t place = 0; place < count; place += 1 + members[place].inner) {
        if (!members[place].is_used && span_is(members[place].key, key)) return true;
    }
    return false;
}

void fields_write(Builder *builder, const Member *members, size_t count, const Extras *extras) {
    write_members(builder, members, count);
    if (extras->zone.size) builder->ambiguous_zones++;
    if (extras->zone.size && !has_key(members, count, "zone"))
        builder_text_member(builder, span_of_text("zone"), extras->zone);
    if (extras->severity_text.size && !has_key(members, count, "severity_text"))
        builder_text_member(builder, span_of_text("severity_text"), extras->severity_text);
    if (extras->client_port.size && !has_key(members, count, "client_port"))
        builder_json_member(builder, span_of_text("client_port"), extras->client_port);
    if (extras->forwarded_for.size && !has_key(members, count, "forwarded_for"))
        builder_text_member(builder, span_of_text("forwarded_for"), extras->forwarded_for);
    if (extras->forwarded_list.size && !has_key(members, count, "forwarded_for"))
        builder_json_member(builder, span_of_text("forwarded_for"), extras->forwarded_list);
}
