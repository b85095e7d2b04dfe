/* RFC 5424, what follows `<PRI>1 `: see syslog/rfc5424.py. */
#include "syslog.h"

static bool is_name_byte(uint8_t byte) { return byte != ' ' && byte != '=' && byte != ']' && byte != '"'; }

/* Read a name: of an element, or of what is in it. */
static Span take_name(const uint8_t **place, const uint8_t *until) {
    const uint8_t *since = *place;
    while (*place < until && is_name_byte(**place)) ++*place;
    return span_of(since, *place);
}

/* Read ` name="value"` and move behind it; false if it is none. */
static bool take_parameter(const uint8_t **place, const uint8_t *until, Span *name, Span *value) {
    const uint8_t *at = *place;
    if (at == until || *at != ' ') return false;
    at++;
    *name = take_name(&at, until);
    if (name->size == 0 || !begins(at, until, "=\"")) return false;
    const uint8_t *since = at += 2;
    while (at < until && *at != '"') at += *at == '\\' ? 2 : 1;
    if (at >= until) return false;
    *value = span_of(since, at);
    *place = at + 1;
    return true;
}

/* Where the elements that start here end; NULL if what is there is none. */
static const uint8_t *skip_structured(const uint8_t *at, const uint8_t *until) {
    const uint8_t *since = at;
    while (at < until && *at == '[') {
        at++;
        Span name, value;
        if (take_name(&at, until).size == 0) {
            at--;
            break;
        }
        while (take_parameter(&at, until, &name, &value)) continue;
        if (at == until || *at != ']') return NULL;
        at++;
    }
    return at > since && ends_word(at, until) ? at : NULL;
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
    for (const uint8_t *at = elements.at, *until = at + elements.size; at < until; at++) {
        at++;
        Span id = take_name(&at, until), name, value;
        if (*at == ']') {
            builder_json_member(builder, id, span_of_text("{}"));
            continue;
        }
        Mark element = builder_open_member(builder, id);
        while (take_parameter(&at, until, &name, &value)) write_value(builder, name, value);
        builder_close_member(builder, element);
    }
    builder_close_member(builder, all);
}

/* Take the structured data; what is left is the message. */
static const uint8_t *read_structured(const uint8_t *at, const uint8_t *until, Entry *entry) {
    if (at < until && *at == '-' && ends_word(at + 1, until)) return at + 1 < until ? at + 2 : until;
    const uint8_t *end = skip_structured(at, until);
    if (end == NULL) return at;
    entry->structured = span_of(at, end);
    return end < until ? end + 1 : until;
}

int syslog_5424(const uint8_t *at, const uint8_t *until, Entry *entry) {
    const uint8_t *end = word_end(at, until);
    if (!span_is(span_of(at, end), "-")) {
        Stamp stamp = clock_iso(span_of(at, end), &entry->row.ts_us);
        if (stamp == STAMP_NONE) return SYSLOG_TIME_FORM;
        if (stamp == STAMP_OUT_OF_RANGE) return SYSLOG_TIME_RANGE;
        entry->row.is_local = stamp == STAMP_LOCAL;
    }
    Span *words[] = {&entry->row.text[HOST], &entry->app, &entry->pid, &entry->msgid};
    for (size_t place = 0; place < sizeof words / sizeof *words; place++) {
        if (end == until) return SYSLOG_HEADER;
        at = end + 1;
        end = word_end(at, until);
        if (end == at) return SYSLOG_HEADER;
        *words[place] = without_dash(span_of(at, end));
    }
    at = read_structured(end < until ? end + 1 : until, until, entry);
    if (begins(at, until, "\xef\xbb\xbf")) at += 3;
    if (at < until && *at == ' ') at++;
    entry->row.text[MESSAGE] = span_of(at, until);
    return FITS;
}
