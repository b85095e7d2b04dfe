/* Reads a prefix of PostgreSQL's log that is not known, and levels: see postgresql/head.py. */
#include "clock.h"
#include "postgresql.h"

enum { STAMP_SIZE = 19, CODE_SIZE = 5, MAX_ADDRESS_PARTS = 4 };

static const struct {
    const char *word, *severity, *part;
} LEVELS[] = {
    {"LOG", "info", NULL},          {"ERROR", "error", NULL},         {"STATEMENT", NULL, "statement"},
    {"DETAIL", NULL, "detail"},     {"HINT", NULL, "hint"},           {"CONTEXT", NULL, "context"},
    {"WARNING", "warning", NULL},   {"FATAL", "critical", NULL},      {"NOTICE", "notice", NULL},
    {"INFO", "info", NULL},         {"DEBUG", "debug", NULL},         {"DEBUG1", "debug", NULL},
    {"DEBUG2", "debug", NULL},      {"DEBUG3", "debug", NULL},        {"DEBUG4", "debug", NULL},
    {"DEBUG5", "debug", NULL},      {"PANIC", "emergency", NULL},     {"QUERY", NULL, "query"},
    {"LOCATION", NULL, "location"}, {"BACKTRACE", NULL, "backtrace"},
};

enum { LEVEL_COUNT = sizeof LEVELS / sizeof *LEVELS };

/* The keys that people write in front of a value. */
static const struct {
    const char *key;
    int field;
} KEYS[] = {
    {"user", PG_USER},
    {"usr", PG_USER},
    {"db", PG_DATABASE},
    {"database", PG_DATABASE},
    {"dbname", PG_DATABASE},
    {"app", PG_APP},
    {"application", PG_APP},
    {"application_name", PG_APP},
    {"client", PG_REMOTE},
    {"host", PG_REMOTE},
    {"remote", PG_REMOTE},
    {"ip", PG_REMOTE},
    {"pid", PG_PID},
    {"p", PG_PID},
    {"session", PG_SESSION},
    {"sid", PG_SESSION},
    {"line", PG_LINE},
    {"l", PG_LINE},
    {"tx", PG_XID},
    {"txid", PG_XID},
    {"xid", PG_XID},
    {"vxid", PG_VXID},
    {"state", PG_CODE},
    {"code", PG_CODE},
    {"sqlstate", PG_CODE},
    {"sql_error_code", PG_CODE},
    {"cmd", PG_TAG},
    {"tag", PG_TAG},
    {"query_id", PG_QUERY_ID},
    {"log_line", PG_LINE},
    {"session_id", PG_SESSION},
    {"vtid", PG_VXID},
    {"tid", PG_XID},
    {"queryid", PG_QUERY_ID},
    {"backend", PG_BACKEND},
};

static inline bool is_capital(uint8_t byte) { return byte >= 'A' && byte <= 'Z'; }

static inline bool is_hex(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    return is_digit(byte) || (lower >= 'a' && lower <= 'f');
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_digit(*at)) at++;
    return at;
}

static const uint8_t *skip_hex(const uint8_t *at, const uint8_t *end) {
    while (at < end && is_hex(*at)) at++;
    return at;
}

static inline bool ends_word(const uint8_t *at, const uint8_t *end) { return at == end || !is_alphanumeric(*at); }

bool pg_find_level(Span word, PgLevel *level) {
    for (int number = 0; number < LEVEL_COUNT; number++) {
        if (!span_is(word, LEVELS[number].word)) continue;
        *level = (PgLevel){.word = word, LEVELS[number].severity, LEVELS[number].part, number};
        return true;
    }
    return false;
}

bool pg_read_level(const uint8_t *at, const uint8_t *end, PgLevel *level) {
    const uint8_t *start = at;
    while (at < end && is_capital(*at)) at++;
    if (at < end && is_digit(*at)) at++;
    if (end - at < 3 || memcmp(at, ":  ", 3) != 0 || !pg_find_level(span_of(start, at), level)) return false;
    level->end = at + 3;
    return true;
}

const uint8_t *pg_find_stamp_end(const uint8_t *at, const uint8_t *end) {
    if (end - at < STAMP_SIZE || at[4] != '-' || at[7] != '-' || at[10] != ' ' || at[13] != ':' || at[16] != ':') {
        return NULL;
    }
    for (int place = 0; place < STAMP_SIZE; place++) {
        bool is_mark = place == 4 || place == 7 || place == 10 || place == 13 || place == 16;
        if (!is_mark && !is_digit(at[place])) return NULL;
    }
    at += STAMP_SIZE;
    if (end - at >= 2 && *at == '.' && is_digit(at[1])) at = skip_digits(at + 1, end);
    const uint8_t *zone = at < end && *at == ' ' ? at + 1 : at, *zone_end = zone;
    while (zone_end < end && (is_capital(*zone_end & 0xdf))) zone_end++;
    if (zone_end == zone && end - zone >= 2 && (*zone == '+' || *zone == '-') && is_digit(zone[1])) {
        for (zone_end++; zone_end < end && (is_digit(*zone_end) || *zone_end == ':');) zone_end++;
    }
    return zone_end > zone ? zone_end : at;
}

bool pg_read_stamp(const uint8_t *at, const uint8_t *end, FoundStamp *found) {
    Dating dating = {0};
    int64_t us;
    Stamp stamp = clock_iso(span_of(at, end), &us);
    if (stamp == STAMP_NONE) return stamp_read(&dating, at, end, found);
    *found = (FoundStamp){.us = us, .is_local = stamp == STAMP_LOCAL, .end = end};
    return stamp != STAMP_OUT_OF_RANGE;
}

/* Set a value that is not set yet. */
static void set(PgHead *head, int field, const uint8_t *start, const uint8_t *end) {
    if (head->values[field].at == NULL) head->values[field] = span_of(start, end);
}

/* Read `[…]`: a pid, or a pid and the number of the line. Return false if it is neither. */
static bool read_brackets(Span text, PgHead *head) {
    const uint8_t *end = text.at + text.size, *digits = skip_digits(text.at, end);
    if (span_is(text, "unknown") || span_is(text, "local")) return true;
    if (digits == text.at || digits - text.at > MAX_DIGITS) return false;
    const uint8_t *second = digits < end && *digits == '-' ? digits + 1 : NULL;
    if (second == NULL && digits < end) return false;
    if (second != NULL && (second == end || skip_digits(second, end) < end)) return false;
    if (head->values[PG_PID].at == NULL) {
        set(head, PG_PID, text.at, digits);
        if (second != NULL) set(head, PG_LINE, second, end);
    } else {
        set(head, PG_LINE, text.at, digits);
    }
    return true;
}

/* Read the time of the record, or of the start of its session if the former is known. */
static bool read_stamp(const uint8_t *at, const uint8_t *end, PgHead *head) {
    if (head->has_time) {
        set(head, PG_START, at, end);
        return true;
    }
    head->has_time = pg_read_stamp(at, end, &head->time);
    return head->has_time;
}

static bool set_by_key(Span key, const uint8_t *value, const uint8_t *end, PgHead *head) {
    for (size_t place = 0; place < sizeof KEYS / sizeof *KEYS; place++) {
        if (!span_is(key, KEYS[place].key)) continue;
        set(head, KEYS[place].field, value, end);
        return true;
    }
    return false;
}

static inline bool is_in_key(uint8_t byte) { return is_capital(byte & 0xdf) || byte == '_'; }

/* Read `key=value`, `key="value"` or `key = value`, and return its end; NULL if there is no such text. */
static const uint8_t *read_pair(const uint8_t *at, const uint8_t *end, PgHead *head, bool *is_unknown, bool *is_sure) {
    const uint8_t *key_end = at, *value, *value_end, *pair_end;
    while (key_end < end && is_in_key(*key_end)) key_end++;
    if (key_end == at || key_end == end) return NULL;
    if (*key_end == '=') value = key_end + 1;
    else if (end - key_end >= 3 && memcmp(key_end, " = ", 3) == 0) value = key_end + 3;
    else return NULL;
    const uint8_t *closing = value < end && *value == '"' ? find_near(value + 1, end, '"') : NULL;
    if (closing != NULL) {
        value++;
        value_end = closing;
        pair_end = closing + 1;
    } else {
        for (value_end = value; value_end < end && *value_end != ' ' && *value_end != ',';) value_end++;
        pair_end = value_end;
    }
    if (closing != NULL && pg_find_stamp_end(value, value_end) == value_end && value_end > value) {
        *is_unknown |= !read_stamp(value, value_end, head);
    } else if (set_by_key(span_of(at, key_end), value, value_end, head)) {
        *is_sure = true;
    } else {
        *is_unknown = true;
    }
    return pair_end;
}

/* Return the end of an IPv4 address at `at`, or NULL. */
static const uint8_t *find_address_end(const uint8_t *at, const uint8_t *end) {
    for (int part = 0; part < MAX_ADDRESS_PARTS; part++) {
        if (part > 0 && (at == end || *at++ != '.')) return NULL;
        const uint8_t *digits = skip_digits(at, end);
        if (digits == at || digits - at > 3) return NULL;
        at = digits;
    }
    return ends_word(at, end) && !(at < end && *at == '.') ? at : NULL;
}

/* Read a word that means something by its form alone, and return its end; NULL if it has no such form. */
static const uint8_t *read_form(const uint8_t *at, const uint8_t *end, PgHead *head) {
    const uint8_t *address = find_address_end(at, end);
    if (address != NULL) {
        set(head, PG_REMOTE, at, address);
        return address;
    }
    const uint8_t *hex = skip_hex(at, end);
    if (hex > at && hex < end && *hex == '.') {
        const uint8_t *second = skip_hex(hex + 1, end);
        if (second > hex + 1 && ends_word(second, end) && !(second < end && *second == '.')) {
            set(head, PG_SESSION, at, second);
            return second;
        }
    }
    const uint8_t *digits = skip_digits(at, end);
    if (digits > at && digits < end && *digits == '/') {
        const uint8_t *second = skip_digits(digits + 1, end);
        if (second > digits + 1 && ends_word(second, end)) {
            set(head, PG_VXID, at, second);
            return second;
        }
    }
    if (digits > at && digits - at <= MAX_DIGITS && ends_word(digits, end) && head->values[PG_PID].at == NULL) {
        set(head, PG_PID, at, digits);
        return digits;
    }
    bool has_digit = false;
    const uint8_t *code = at;
    for (; code < end && code - at < CODE_SIZE && (is_capital(*code) || is_digit(*code)); code++) {
        has_digit |= is_digit(*code);
    }
    if (code - at == CODE_SIZE && has_digit && ends_word(code, end)) {
        set(head, PG_CODE, at, code);
        return code;
    }
    return NULL;
}

/* Read a word, and return its end. Set `is_unknown` if the word means nothing. */
static const uint8_t *read_word(const uint8_t *at, const uint8_t *end, PgHead *head, bool *is_unknown, bool *is_sure) {
    const uint8_t *word = at;
    while (word < end && *word != ' ' && *word != ',') word++;
    const uint8_t *pair = read_pair(at, end, head, is_unknown, is_sure);
    if (pair != NULL) return pair;
    const uint8_t *bracket = find_near(at, word, '(');
    if (bracket != NULL && bracket > at) {
        const uint8_t *port = skip_digits(bracket + 1, word);
        if (port > bracket + 1 && port < word && *port == ')') {
            set(head, PG_REMOTE, at, port + 1);
            return port + 1;
        }
    }
    const uint8_t *sign = find_near(at, word, '@');
    if (sign != NULL && sign > at) {
        const uint8_t *stop = sign + 1;
        while (stop < word && *stop != ':' && *stop != '[') stop++;
        set(head, PG_USER, at, sign);
        set(head, PG_DATABASE, sign + 1, stop);
        return stop;
    }
    const uint8_t *known = read_form(at, word, head);
    if (known != NULL) return known;
    *is_unknown = true;
    return word;
}

/* Read what is before the level. Return false unless it is surely a prefix of PostgreSQL. */
static bool read_prefix(Span text, PgHead *head) {
    static const char SEPARATORS[] = " ,:;<>()|/@-";
    const uint8_t *at = text.at, *end = text.at + text.size, *stamp;
    bool is_unknown = false, is_sure = text.size == 0;
    for (;;) {
        while (at < end && *at && strchr(SEPARATORS, *at) != NULL) at++;
        if (at == end) break;
        const uint8_t *closing = *at == '[' ? find_near(at, end, ']') : NULL;
        if (closing != NULL) {
            if (!read_brackets(span_of(at + 1, closing), head)) is_unknown = true;
            at = closing + 1;
        } else if ((stamp = pg_find_stamp_end(at, end)) != NULL) {
            if (!read_stamp(at, stamp, head)) return false;
            at = head->time.end > at ? head->time.end : stamp;
        } else {
            at = read_word(at, end, head, &is_unknown, &is_sure);
        }
    }
    if (is_unknown) {
        while (text.size && text.at[text.size - 1] == ' ') text.size--;
        head->values[PG_OTHER] = text;
    }
    return is_sure || head->values[PG_PID].size || (head->has_time && !is_unknown);
}

bool pg_read_any(Span line, PgHead *head) {
    const uint8_t *end = line.at + line.size;
    const uint8_t *limit = line.size > PG_LONGEST_HEAD ? line.at + PG_LONGEST_HEAD : end;
    if (line.at[0] == '\t') return false;
    for (const uint8_t *colon = line.at; (colon = find_near(colon, limit, ':')) != NULL; colon++) {
        if (end - colon < 3 || colon[1] != ' ' || colon[2] != ' ') continue;
        const uint8_t *word = colon;
        if (word > line.at && is_digit(word[-1])) word--;
        while (word > line.at && is_capital(word[-1])) word--;
        bool begins_word = word == line.at || !(is_alphanumeric(word[-1]) || word[-1] == '_');
        if (begins_word && pg_read_level(word, end, &head->level)) return read_prefix(span_of(line.at, word), head);
    }
    return false;
}

void pg_write_time(Builder *builder, bool has_time, const FoundStamp *time, Row *row) {
    row->ts_us = NO_TIME;
    if (!has_time) return;
    row->ts_us = time->us;
    row->is_local = time->is_local;
    if (time->zone.size == 0) return;
    builder->ambiguous_zones++;
    builder_text_member(builder, span_of_text("zone"), time->zone);
}

void pg_write_severity(Builder *builder, const PgLevel *level, Row *row) {
    row->text[SEVERITY] = span_of_text(level->severity);
    const char *name = level->severity;
    for (size_t place = 0; place < level->word.size; place++) {
        if ((level->word.at[place] | 0x20) == (uint8_t)name[place]) continue;
        builder_text_member(builder, span_of_text("severity_text"), level->word);
        return;
    }
}

Span pg_split_client(Span remote, Span *port) {
    const uint8_t *end = remote.at + remote.size, *start = end;
    *port = (Span){0};
    if (!pg_has_value(remote)) return (Span){0};
    if (end[-1] == ')') {
        while (start > remote.at && start[-1] != '(') start--;
        end--;
    } else {
        while (start > remote.at && is_digit(start[-1])) start--;
        bool has_colon = start > remote.at && start[-1] == ':';
        if (!has_colon || find_near(remote.at, start - 1, ':') != NULL) return remote;
    }
    if (start < remote.at + 2 || start == end) return remote;
    *port = span_of(start, end);
    return span_of(remote.at, start - 1);
}

Span pg_find_duration(Span message) {
    Cursor cursor = cursor_of(message);
    Span whole, part;
    if (!take_text(&cursor, "duration: ") || !take_digits(&cursor, &whole) || !is_json_number(whole)) return (Span){0};
    if (!take_byte(&cursor, '.') || !take_digits(&cursor, &part) || !take_text(&cursor, " ms")) return (Span){0};
    return span_of(whole.at, part.at + part.size);
}
