/* See record.h. */
#include "record.h"

static Span span_of_text(const char *text) { return (Span){(const uint8_t *)text, strlen(text)}; }

static bool equal(Span one, Span other) {
    return one.size == other.size && (one.size == 0 || memcmp(one.at, other.at, one.size) == 0);
}

static bool add_key(Keys *keys, Span key) {
    if (keys->count == MAX_KEYS) return false;
    keys->at[keys->count++] = key;
    return true;
}

bool differ(const Keys *keys) {
    for (size_t place = 1; place < keys->count; place++) {
        for (size_t before = 0; before < place; before++) {
            if (equal(keys->at[place], keys->at[before])) return false;
        }
    }
    return true;
}

/* --- what all records of a scope have */

static bool add_member(Common *common, Span key) {
    out_text(&common->members, ", ");
    out_quoted(&common->members, key);
    out_text(&common->members, ": ");
    return add_key(&common->keys, key);
}

bool add_text(Common *common, const char *key, Span text) {
    if (text.size == 0) return true;
    bool is_added = add_member(common, span_of_text(key));
    out_quoted(&common->members, text);
    return is_added;
}

bool add_number(Common *common, const char *key, uint64_t number) {
    if (number == 0) return true;
    bool is_added = add_member(common, span_of_text(key));
    out_unsigned(&common->members, number);
    return is_added;
}

bool add_attribute(Common *common, Span content) {
    Attribute attribute;
    return read_attribute(content, &attribute) && add_member(common, attribute.key) &&
           write_any(&common->members, attribute.value, 0);
}

/* --- a record */

enum { OBSERVED_LATER_NS = 1000000000 };
static const uint64_t FIRST_NS = 100000000000000000, END_NS = 10000000000000000000u;

/* The line that is being written. */
typedef struct {
    Out *out;
    Keys keys;
    bool is_first;
} Line;

typedef struct {
    uint64_t time_ns, observed_ns, severity, flags, dropped;
    Span severity_text, body, trace_id, span_id, event_name;
    bool has_body;
} Record;

static bool begin_member(Line *line, Span key) {
    if (!line->is_first) out_text(line->out, ", ");
    line->is_first = false;
    out_quoted(line->out, key);
    out_text(line->out, ": ");
    return add_key(&line->keys, key);
}

static bool begin(Line *line, const char *key) { return begin_member(line, span_of_text(key)); }

/* Read the fields of a record that occur once. */
static bool read_record(Span content, Record *record) {
    Message message = message_of(content);
    Field field;
    while (next_field(&message, &field)) {
        Wire wire = WIRE_LENGTH;
        switch (field.number) {
        case 1:
            record->time_ns = field.value;
            wire = WIRE_FIXED64;
            break;
        case 11:
            record->observed_ns = field.value;
            wire = WIRE_FIXED64;
            break;
        case 2:
            record->severity = field.value;
            wire = WIRE_VARINT;
            break;
        case 7:
            record->dropped = (uint32_t)field.value;
            wire = WIRE_VARINT;
            break;
        case 8:
            record->flags = field.value;
            wire = WIRE_FIXED32;
            break;
        case 3: record->severity_text = field.content; break;
        case 9: record->trace_id = field.content; break;
        case 10: record->span_id = field.content; break;
        case 12: record->event_name = field.content; break;
        case 5:
            if (record->has_body) return false;
            record->has_body = true;
            record->body = field.content;
            break;
        case 6: break;
        default: continue;
        }
        if (field.wire != wire) return false;
    }
    return !message.is_damaged;
}

static bool write_instant(Line *line, const char *key, uint64_t time_ns) {
    if (time_ns == 0) return true;
    if (time_ns < FIRST_NS || time_ns >= END_NS || !begin(line, key)) return false;
    out_unsigned(line->out, time_ns);
    return true;
}

static bool write_instants(Line *line, uint64_t time_ns, uint64_t observed_ns) {
    uint64_t apart = observed_ns > time_ns ? observed_ns - time_ns : time_ns - observed_ns;
    if (time_ns && apart < OBSERVED_LATER_NS) observed_ns = 0;
    return write_instant(line, "timeUnixNano", time_ns) && write_instant(line, "observedTimeUnixNano", observed_ns);
}

static bool write_severity(Line *line, const Record *record, Severities *severities) {
    if (record->severity == 0 && record->severity_text.size == 0) return true;
    if (record->severity > 0xFF || record->severity_text.size > 0xFF) return false;
    const uint8_t *at = severities->table.at, *end = at + severities->table.size;
    while (at < end) {
        Span text = {at + 2, at[1]};
        Span members = {text.at + text.size + 1, text.at[text.size]};
        if (at[0] == record->severity && equal(text, record->severity_text)) {
            if (members.size == 0) return true;
            if (!line->is_first) out_text(line->out, ", ");
            line->is_first = false;
            out_bytes(line->out, members.at, members.size);
            /* The table may write any of these. A record that has one of them as an attribute, too, is not regular. */
            return add_key(&line->keys, span_of_text("level")) && add_key(&line->keys, span_of_text("severity_text")) &&
                   add_key(&line->keys, span_of_text("severity_number"));
        }
        at = members.at + members.size;
    }
    severities->number = (uint8_t)record->severity;
    severities->text = record->severity_text;
    severities->is_missing = true;
    return false;
}

static bool is_quoted(Kind kind) { return kind == VALUE_STRING || kind == VALUE_BYTES; }

/* Write the map of a body without its member at `skipped`; return whether it had other members. */
static bool write_rest(Out *out, Span map, size_t skipped, bool *is_regular) {
    Message message = message_of(map);
    Field field;
    size_t place = 0;
    bool is_first = true;
    out_text(out, "{");
    while (*is_regular && next_field(&message, &field)) {
        Attribute attribute;
        if (field.number != 1 || place++ == skipped) continue;
        if (!is_first) out_text(out, ", ");
        is_first = false;
        *is_regular = field.wire == WIRE_LENGTH && read_attribute(field.content, &attribute);
        if (!*is_regular) break;
        out_quoted(out, attribute.key);
        out_text(out, ": ");
        *is_regular = write_any(out, attribute.value, 1);
    }
    out_text(out, "}");
    if (message.is_damaged) *is_regular = false;
    return !is_first;
}

/* Write a body that is a map with a text as its message; return false if it is not, or not regular. */
static bool write_message_of_map(Line *line, Span map, bool *is_regular) {
    Message message = message_of(map);
    Field field, found;
    Kind kind = VALUE_NONE;
    size_t place = 0;
    for (; *is_regular && next_field(&message, &field); place += field.number == 1) {
        Attribute attribute;
        if (field.number != 1) continue;
        *is_regular = field.wire == WIRE_LENGTH && read_attribute(field.content, &attribute) &&
                      find_value(attribute.value, &kind, &found);
        if (*is_regular && is_quoted(kind) && equal(attribute.key, span_of_text("message"))) break;
        if (is_quoted(kind) && (equal(attribute.key, span_of_text("msg")) || equal(attribute.key, span_of_text("log"))))
            *is_regular = false; /* Python chooses one of them */
        kind = VALUE_NONE;
    }
    if (message.is_damaged) *is_regular = false;
    if (!*is_regular || kind == VALUE_NONE) return false;
    *is_regular = begin(line, "message") && write_found(line->out, kind, &found, 1);
    size_t before = line->out->size;
    size_t keys = line->keys.count;
    if (*is_regular && begin(line, "body") && !write_rest(line->out, map, place, is_regular)) {
        line->out->size = before; /* there is no rest */
        line->keys.count = keys;
    }
    return *is_regular;
}

static bool write_body(Line *line, const Record *record) {
    Kind kind;
    Field field;
    if (!record->has_body) return true;
    if (!find_value(record->body, &kind, &field)) return false;
    if (kind == VALUE_NONE) return true;
    bool is_regular = true;
    if (kind == VALUE_MAP && write_message_of_map(line, field.content, &is_regular)) return true;
    if (!is_regular || !begin(line, "message")) return false;
    if (is_quoted(kind)) return write_found(line->out, kind, &field, 0);
    Out json = {0};
    is_regular = write_found(&json, kind, &field, 0);
    out_quoted(line->out, (Span){json.at, json.size});
    line->out->failed |= json.failed;
    out_free(&json);
    return is_regular;
}

static bool write_id(Line *line, const char *key, Span id, size_t size) {
    static const uint8_t zeros[16];
    if (id.size == 0 || equal(id, (Span){zeros, size})) return true;
    if (!begin(line, key)) return false;
    out_text(line->out, "\"");
    out_hex(line->out, id);
    out_text(line->out, "\"");
    return true;
}

static bool write_number(Line *line, const char *key, uint64_t number) {
    if (number == 0) return true;
    if (!begin(line, key)) return false;
    out_unsigned(line->out, number);
    return true;
}

static bool write_attributes(Line *line, Span content) {
    Message message = message_of(content);
    Field field;
    while (next_field(&message, &field)) {
        Attribute attribute;
        if (field.number != 6) continue;
        if (!read_attribute(field.content, &attribute) || !begin_member(line, attribute.key) ||
            !write_any(line->out, attribute.value, 0))
            return false;
    }
    return true;
}

/* Return whether the keys of the line differ from each other and from those of the scope. */
static bool are_keys_free(const Keys *keys, Common *common) {
    bool is_same = common->is_known && keys->count == common->before.count;
    for (size_t place = 0; is_same && place < keys->count; place++) {
        is_same = equal(keys->at[place], common->before.at[place]);
    }
    if (is_same) return true;
    Keys all = *keys;
    for (size_t place = 0; place < common->keys.count; place++) {
        if (!add_key(&all, common->keys.at[place])) return false;
    }
    if (!differ(&all)) return false;
    common->before = *keys;
    common->is_known = true;
    return true;
}

bool write_record(Out *out, Span content, Common *common, Severities *severities) {
    Record record = {0};
    Line line = {.out = out, .is_first = true};
    if (!read_record(content, &record)) return false;
    out_text(out, "{");
    bool is_regular = write_instants(&line, record.time_ns, record.observed_ns) &&
                      write_severity(&line, &record, severities) && write_body(&line, &record) &&
                      write_id(&line, "trace_id", record.trace_id, 16) &&
                      write_id(&line, "span_id", record.span_id, 8) && write_number(&line, "trace_flags", record.flags);
    if (!is_regular) return false;
    if (record.event_name.size) {
        if (!begin(&line, "event_name")) return false;
        out_quoted(out, record.event_name);
    }
    if (!write_attributes(&line, content) || !write_number(&line, "otel.dropped_attributes_count", record.dropped) ||
        !are_keys_free(&line.keys, common))
        return false;
    size_t comma = line.is_first && common->members.size ? 2 : 0;
    out_bytes(out, common->members.at + comma, common->members.size - comma);
    out_text(out, "}\n");
    return true;
}
