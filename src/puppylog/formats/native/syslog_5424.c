/* Reads a message by RFC 5424 after `<PRI>1 `: see syslog/rfc5424.py. */
#include "syslog.h"

static bool is_name_byte(uint8_t byte) { return byte != ' ' && byte != '=' && byte != ']' && byte != '"'; }

/* Read the name of an element or of a parameter. */
static Span take_name(const uint8_t **place, const uint8_t *end) {
    const uint8_t *start = *place;
    while (*place < end && is_name_byte(**place)) ++*place;
    return span_of(start, *place);
}

/* Read ` name="value"` and move after it; return false if there is none. */
static bool take_parameter(const uint8_t **place, const uint8_t *end, Span *name, Span *value) {
    const uint8_t *at = *place;
    if (at == end || *at != ' ') return false;
    at++;
    *name = take_name(&at, end);
    if (name->size == 0 || !begins(at, end, "=\"")) return false;
    const uint8_t *start = at += 2;
    while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
    if (at >= end) return false;
    *value = span_of(start, at);
    *place = at + 1;
    return true;
}

/* Return the end of the elements at `at`; NULL if there is no valid structured data. */
static const uint8_t *skip_structured(const uint8_t *at, const uint8_t *end) {
    const uint8_t *start = at;
    while (at < end && *at == '[') {
        at++;
        Span name, value;
        if (take_name(&at, end).size == 0) {
            at--;
            break;
        }
        while (take_parameter(&at, end, &name, &value)) continue;
        if (at == end || *at != ']') return NULL;
        at++;
    }
    return at > start && ends_word(at, end) ? at : NULL;
}

static void write_value(Builder *builder, Span name, Span value) {
    if (memchr(value.at, '\\', value.size) == NULL) {
        builder_text_member(builder, name, value);
        return;
    }
    uint8_t *scratch = builder_scratch(builder, value.size), *to = scratch;
    if (scratch == NULL) return;
    for (size_t place = 0; place < value.size; place++) {
        uint8_t byte = value.at[place];
        uint8_t next = place + 1 < value.size ? value.at[place + 1] : 0;
        if (byte == '\\' && (next == '"' || next == '\\' || next == ']')) byte = value.at[++place];
        *to++ = byte;
    }
    builder_text_member(builder, name, span_of(scratch, to));
}

void syslog_structured(Builder *builder, Span elements) {
    if (elements.size == 0) return;
    Mark all = builder_open_member(builder, span_of_text("structured_data"));
    for (const uint8_t *at = elements.at, *end = at + elements.size; at < end; at++) {
        at++;
        Span id = take_name(&at, end), name, value;
        if (*at == ']') {
            builder_json_member(builder, id, span_of_text("{}"));
            continue;
        }
        Mark element = builder_open_member(builder, id);
        while (take_parameter(&at, end, &name, &value)) write_value(builder, name, value);
        builder_close_member(builder, element);
    }
    builder_close_member(builder, all);
}

/* Read the structured data, and return the start of the message. */
static const uint8_t *read_structured(const uint8_t *at, const uint8_t *end, Entry *entry) {
    if (at < end && *at == '-' && ends_word(at + 1, end)) return at + 1 < end ? at + 2 : end;
    const uint8_t *structured_end = skip_structured(at, end);
    if (structured_end == NULL) return at;
    entry->structured = span_of(at, structured_end);
    return structured_end < end ? structured_end + 1 : end;
}

int syslog_5424(const uint8_t *at, const uint8_t *end, Entry *entry) {
    const uint8_t *blank = word_end(at, end);
    if (!span_is(span_of(at, blank), "-")) {
        Stamp stamp = clock_iso(span_of(at, blank), &entry->row.ts_us);
        if (stamp == STAMP_NONE) return SYSLOG_TIME_FORM;
        if (stamp == STAMP_OUT_OF_RANGE) return SYSLOG_TIME_RANGE;
        entry->row.is_local = stamp == STAMP_LOCAL;
    }
    Span *words[] = {&entry->row.text[HOST], &entry->app, &entry->pid, &entry->msgid};
    for (size_t place = 0; place < sizeof words / sizeof *words; place++) {
        if (blank == end) return SYSLOG_HEADER;
        at = blank + 1;
        blank = word_end(at, end);
        if (blank == at) return SYSLOG_HEADER;
        *words[place] = without_dash(span_of(at, blank));
    }
    at = read_structured(blank < end ? blank + 1 : end, end, entry);
    if (begins(at, end, "\xef\xbb\xbf")) at += 3;
    if (at < end && *at == ' ') at++;
    entry->row.text[MESSAGE] = span_of(at, end);
    return FITS;
}
