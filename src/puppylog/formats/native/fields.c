#include "fields.h"

#include "clock.h"
#include "request.h"

enum { LONGEST_INTEGER = 19 };

/* The earliest time that a number may mean, in March 1973. A smaller number is a duration or a count, and no time. */
static const int64_t EARLIEST_US = INT64_C(100000000) * 1000000;

static inline bool begins_with(Span text, const char *beginning) {
    size_t size = strlen(beginning);
    return text.size >= size && memcmp(text.at, beginning, size) == 0;
}

static bool read_time(Span text, Row *row) {
    if (text.size >= 2 && text.at[0] == '[' && text.at[text.size - 1] == ']') text = (Span){text.at + 1, text.size - 2};
    int64_t us;
    Stamp stamp = clock_iso(text, &us);
    if (stamp == STAMP_NONE) stamp = clock_access(text, &us);
    if (stamp == STAMP_NONE) {
        stamp = clock_epoch(text, &us);
        if (stamp == STAMP_ZONED && us < EARLIEST_US) return false;
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
    if (digits == 0 || digits > LONGEST_INTEGER || (text.at[place] == '0' && text.size > 1)) return false;
    uint64_t size = 0;
    for (; place < text.size; place++) {
        if (text.at[place] < '0' || text.at[place] > '9') return false;
        size = size * 10 + (uint64_t)(text.at[place] - '0');
    }
    if (size > INT64_MAX) return false;
    *number = is_negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool read_status(Span text, Row *row) {
    int64_t number;
    if (!read_integer(text, &number) || number < INT16_MIN || number > INT16_MAX) return false;
    row->has_status = true;
    row->status = (int16_t)number;
    return true;
}

static bool read_bytes(Span text, Row *row) {
    int64_t number;
    if (!read_integer(text, &number) || number < 0) return false;
    row->has_bytes = true;
    row->bytes = number;
    return true;
}

/* Return the word for a severity that is a number of syslog, or of Bunyan and pino; NULL for other texts. */
static const char *word_of_severity(Span text) {
    static const char *const SYSLOG[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
    static const char *const BUNYAN[] = {"trace", "debug", "info", "warn", "error", "fatal"};
    if (text.size == 1 && text.at[0] >= '0' && text.at[0] <= '7') return SYSLOG[text.at[0] - '0'];
    if (text.size == 2 && text.at[0] >= '1' && text.at[0] <= '6' && text.at[1] == '0') return BUNYAN[text.at[0] - '1'];
    return NULL;
}

static Span lower(Span text, uint8_t *scratch) {
    for (size_t place = 0; place < text.size; place++) {
        uint8_t byte = text.at[place];
        scratch[place] = byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
    }
    return (Span){scratch, text.size};
}

static Span without_newline(Span text) {
    if (text.size && text.at[text.size - 1] == '\n') text.size--;
    if (text.size && text.at[text.size - 1] == '\r') text.size--;
    return text;
}

typedef struct {
    Row *row;
    Member *winners[FIELDS];
    Row request; /* the columns of the request */
    uint8_t *scratch;
} Reading;

static const int COLUMNS[FIELDS] = {
    [FIELD_SEVERITY] = SEVERITY, [FIELD_MESSAGE] = MESSAGE, [FIELD_HOST] = HOST,
    [FIELD_RUSER] = RUSER,       [FIELD_METHOD] = METHOD,   [FIELD_ROUTE] = ROUTE,
    [FIELD_PROTO] = PROTO,       [FIELD_REFERER] = REFERER, [FIELD_USER_AGENT] = USER_AGENT,
};

static bool read_whole_request(Reading *reading, Span text) {
    Row request = {0};
    read_request(text, &request);
    if (request.text[METHOD].size == 0) return false;
    reading->request = request;
    return true;
}

static bool read_text(Reading *reading, int field, Span text) {
    switch (field) {
    case FIELD_SEVERITY: text = lower(text, reading->scratch); break;
    case FIELD_MESSAGE: text = without_newline(text); break;
    case FIELD_REQUEST: return read_whole_request(reading, text);
    case FIELD_METHOD:
        if (!is_method(text)) return false;
        break;
    case FIELD_ROUTE:
        if (text.at[0] != '/' && !begins_with(text, "http://") && !begins_with(text, "https://") && !span_is(text, "*"))
            return false;
        break;
    case FIELD_PROTO:
        if (!begins_with(text, "HTTP/")) return false;
        break;
    }
    reading->row->text[COLUMNS[field]] = text;
    return true;
}

/* Put the value into the columns of its field; return false if the value does not fit. */
static bool read_value(Reading *reading, const Member *member) {
    Row *row = reading->row;
    int field = member->name.field;
    if (member->kind != VALUE_TEXT && member->kind != VALUE_NUMBER) return false;
    if (field == FIELD_TIME) return read_time(member->text, row);
    if (field == FIELD_STATUS) return read_status(member->text, row);
    if (field == FIELD_BYTES) return read_bytes(member->text, row);
    const char *word = field == FIELD_SEVERITY ? word_of_severity(member->text) : NULL;
    if (word != NULL) {
        row->text[SEVERITY] = span_of_text(word);
        return true;
    }
    return member->kind == VALUE_TEXT && read_text(reading, field, member->text);
}

static inline bool is_unknown(const Member *member) {
    return member->kind == VALUE_NULL || (member->kind == VALUE_TEXT && without_dash(member->text).size == 0);
}

void fields_read(Member *members, size_t count, uint8_t *scratch, Row *row) {
    Reading reading = {.row = row, .scratch = scratch};
    row->ts_us = NO_TIME;
    for (Member *member = members; member < members + count; member++) {
        int field = member->name.field;
        if (field == FIELD_NONE) continue;
        Member *winner = reading.winners[field];
        if (is_unknown(member)) member->is_used = true;
        else if (winner == NULL || member->name.rank < winner->name.rank) {
            if (read_value(&reading, member)) reading.winners[field] = member;
            if (field == FIELD_SEVERITY) reading.scratch += member->text.size;
        }
    }
    if (reading.winners[FIELD_REQUEST] != NULL) { /* the whole request fills the columns of its parts */
        for (int part = 0; part < 3; part++) {
            row->text[METHOD + part] = reading.request.text[METHOD + part];
            reading.winners[FIELD_METHOD + part] = NULL;
        }
    }
    for (int field = 0; field < FIELDS; field++) {
        if (reading.winners[field] != NULL) reading.winners[field]->is_used = true;
    }
}

static bool has_used(const Member *members, size_t count) {
    for (size_t place = 0; place < count; place++) {
        if (members[place].is_used) return true;
    }
    return false;
}

void fields_write(Builder *builder, const Member *members, size_t count) {
    for (size_t place = 0; place < count; place += 1 + members[place].inner) {
        const Member *member = &members[place];
        if (member->is_used) continue;
        if (has_used(member + 1, member->inner)) {
            Mark mark = builder_open_member(builder, member->key);
            fields_write(builder, member + 1, member->inner);
            builder_close_member(builder, mark);
        } else if (member->json.at == NULL) {
            builder_text_member(builder, member->key, member->text);
        } else {
            builder_json_member(builder, member->key, member->json);
        }
    }
}
