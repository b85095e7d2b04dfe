/* Reads JSON lines: see json_lines.py. */
#include "json_text.h"
#include "module.h"
#include "scan.h"

typedef struct {
    Builder *builder;
    Names names;
    Path path;
    Walk walk;
    Bytes members; /* Member */
    bool has_invalid_escapes;
    uint8_t *scratch; /* memory for texts whose escapes are replaced */
} Reading;

static Span decode(Reading *reading, Span string) {
    Span text = {reading->scratch, json_decode(string, reading->scratch)};
    reading->scratch += text.size;
    return text;
}

static Span text_of(Reading *reading, Span json, bool has_escapes) {
    Span string = {json.at + 1, json.size - 2};
    return has_escapes ? decode(reading, string) : string;
}

/* Read a list with one text as this text, because headers are lists. */
static void read_list(Reading *reading, Member *member) {
    const uint8_t *last = member->json.at + member->json.size - 1;
    const uint8_t *at = json_skip_blanks(member->json.at + 1, last);
    if (*at != '"') return;
    const uint8_t *end = json_string_end(at + 1) + 1;
    if (json_skip_blanks(end, last) != last) return;
    Span json = span_of(at, end);
    member->kind = VALUE_TEXT;
    member->text = text_of(reading, json, memchr(json.at, '\\', json.size) != NULL);
}

static void read_value(Reading *reading, const Item *item, Member *member) {
    switch (*item->json.at) {
    case '"':
        member->kind = VALUE_TEXT;
        member->text = text_of(reading, item->json, item->has_escapes);
        break;
    case '[': read_list(reading, member); break;
    case 'n': member->kind = VALUE_NULL; break;
    case '{':
    case 't':
    case 'f': break;
    default:
        member->kind = VALUE_NUMBER;
        member->text = item->json;
        break;
    }
}

/* Return how many bytes follow the first byte `byte` of a character of UTF-8, and set the range of the first of them;
 * return 0 if no character of several bytes begins with `byte`. */
static int following(uint8_t byte, uint8_t *least, uint8_t *most) {
    *least = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
    *most = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
    return byte >= 0xC2 && byte <= 0xDF ? 1 : byte >= 0xE0 && byte <= 0xEF ? 2 : byte >= 0xF0 && byte <= 0xF4 ? 3 : 0;
}

/* Read a list of bytes, and write the text that they are in UTF-8. U+FFFD replaces invalid bytes, as in Python. Return
 * false if the list has an item that is no number up to 255. The bytes are first written so far ahead that the text, at
 * most three bytes for each byte, does not overwrite bytes that are not decoded yet. */
static bool read_bytes(Reading *reading, Span list, Span *text) {
    const uint8_t *at = json_skip_blanks(list.at + 1, list.at + list.size), *last = list.at + list.size - 1;
    uint8_t *bytes = reading->scratch + list.size, *end = bytes;
    while (at < last) {
        int byte = 0, digits = 0;
        for (; at < last && is_digit(*at) && digits < 4; digits++) byte = byte * 10 + (*at++ - '0');
        at = json_skip_blanks(at, last);
        if (digits == 0 || byte > 0xFF || (at < last && *at != ',')) return false;
        *end++ = (uint8_t)byte;
        if (at < last) at = json_skip_blanks(at + 1, last);
    }
    uint8_t *to = reading->scratch;
    while (bytes < end) {
        uint8_t least, most;
        int more = following(*bytes, &least, &most), taken = 1;
        while (taken <= more && bytes + taken < end && bytes[taken] >= least && bytes[taken] <= most) {
            taken++;
            least = 0x80;
            most = 0xBF;
        }
        bool is_invalid = *bytes == 0 || (*bytes >= 0x80 && (more == 0 || taken <= more));
        const uint8_t *from = is_invalid ? (const uint8_t *)"\xEF\xBF\xBD" : bytes;
        reading->has_invalid_escapes |= is_invalid || (taken == 3 && memcmp(bytes, "\xEF\xBF\xBD", 3) == 0);
        for (int place = 0; place < (is_invalid ? 3 : taken); place++) *to++ = from[place];
        bytes += taken;
    }
    *text = span_of(reading->scratch, to);
    reading->scratch = to;
    return true;
}

static void list_members(Reading *reading, size_t first_item, size_t prefix);

/* Add the members of a nested object. */
static void list_inner(Reading *reading, Span json) {
    size_t first_item = reading->walk.items.size;
    reading->path.at[reading->path.size] = '.';
    if (json_walk(&reading->walk, json) == FITS) list_members(reading, first_item, reading->path.size + 1);
    reading->walk.items.size = first_item;
}

/* Add a member for each item from `first_item` on. The first `prefix` bytes of the path are the path of the object. */
static void list_members(Reading *reading, size_t first_item, size_t prefix) {
    size_t end = reading->walk.items.size;
    for (size_t place = first_item; place < end && !reading->walk.failed; place += sizeof(Item)) {
        Item item = *(Item *)(reading->walk.items.at + place);
        Member member = {.key = item.has_key_escapes ? decode(reading, item.key) : item.key, .json = item.json};
        member.name = prefix ? names_find(&reading->names, &reading->path, prefix, member.key)
                             : names_find_at(&reading->names, &reading->path, place / sizeof(Item), member.key);
        if (member.name.field != FIELD_NONE) read_value(reading, &item, &member);
        if (prefix == 0 && *item.json.at == '[' && span_is(member.key, "MESSAGE") &&
            read_bytes(reading, item.json, &member.text)) {
            member.kind = VALUE_TEXT;
        }
        size_t at = reading->members.size;
        if (!bytes_append(&reading->members, &member, sizeof member, &reading->walk.failed)) return;
        if (member.name.is_object && *item.json.at == '{') {
            if (prefix == 0) names_find(&reading->names, &reading->path, 0, member.key); /* writes the path */
            list_inner(reading, item.json);
            ((Member *)(reading->members.at + at))->inner = (reading->members.size - at) / sizeof(Member) - 1;
        }
    }
}

/* Return whether the line is a bundle, which Python divides: see bundle.py. */
static bool is_bundle(const Walk *walk) {
    const Item *first = (const Item *)walk->items.at;
    return walk->items.size && *first->json.at == '[' &&
           (span_is(first->key, "resourceLogs") || span_is(first->key, "Records"));
}

static int read_row(Reading *reading, Span line, Row *row) {
    Walk *walk = &reading->walk;
    walk->items.size = reading->members.size = 0;
    int reason = json_walk(walk, line);
    if (reason != FITS) return reason;
    reading->scratch = builder_scratch(reading->builder, 4 * line.size);
    if (reading->scratch == NULL) return JSON_NO_OBJECT;
    reading->has_invalid_escapes = walk->has_invalid_escapes;
    if (walk->has_invalid_escapes || walk->has_key_escapes || walk->has_duplicate_keys) {
        Span rewritten = json_rewrite(walk, line, reading->scratch);
        reading->scratch += line.size;
        walk->items.size = 0;
        json_walk(walk, rewritten);
    }
    if (is_bundle(walk)) return JSON_BUNDLE;
    list_members(reading, 0, 0);
    if (walk->failed) return JSON_NO_OBJECT;
    Member *members = (Member *)reading->members.at;
    size_t count = reading->members.size / sizeof *members;
    Extras extras;
    fields_read(members, count, row, &extras);
    fields_write(reading->builder, members, count, &extras);
    if (reading->has_invalid_escapes)
        builder_json_member(reading->builder, span_of_text("invalid_escape"), span_of_text("true"));
    return FITS;
}

INLINED int read_line(Builder *builder, Span line, void *reading) {
    Row row = {0};
    int reason = read_row(reading, line, &row);
    if (reason == FITS) builder_record(builder, line.at, &row);
    return reason;
}

static void read_text(Builder *builder, void *table) {
    Reading reading = {.builder = builder};
    names_open(&reading.names, *(const Span *)table);
    read_lines(builder, read_line, NULL, &reading);
    if (reading.walk.failed) builder->failed = true;
    json_walk_close(&reading.walk);
    memory_free(reading.members.at);
}

PyObject *native_json(PyObject *module, PyObject *arguments) { return read_by_names(module, arguments, read_text); }
