/* Reads JSON objects into columns and attributes: see json_object.py. */
#include "json_reader.h"

#include "scan.h"

static Span decode(JsonReader *reader, Span string) {
    Span text = {reader->scratch, json_decode(string, reader->scratch)};
    reader->scratch += text.size;
    return text;
}

static Span text_of(JsonReader *reader, Span json, bool has_escapes) {
    Span string = {json.at + 1, json.size - 2};
    return has_escapes ? decode(reader, string) : string;
}

/* Read a list with one text as this text, because headers are lists. */
static void read_list(JsonReader *reader, Member *member) {
    const uint8_t *last = member->json.at + member->json.size - 1;
    const uint8_t *at = json_skip_blanks(member->json.at + 1, last);
    if (*at != '"') return;
    const uint8_t *end = json_string_end(at + 1) + 1;
    if (json_skip_blanks(end, last) != last) return;
    Span json = span_of(at, end);
    member->kind = VALUE_TEXT;
    member->text = text_of(reader, json, memchr(json.at, '\\', json.size) != NULL);
}

static void read_value(JsonReader *reader, const Item *item, Member *member) {
    switch (*item->json.at) {
    case '"':
        member->kind = VALUE_TEXT;
        member->text = text_of(reader, item->json, item->has_escapes);
        break;
    case '[': read_list(reader, member); break;
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
static bool read_bytes(JsonReader *reader, Span list, Span *text) {
    const uint8_t *at = json_skip_blanks(list.at + 1, list.at + list.size), *last = list.at + list.size - 1;
    uint8_t *bytes = reader->scratch + list.size, *end = bytes;
    while (at < last) {
        int byte = 0, digits = 0;
        for (; at < last && is_digit(*at) && digits < 4; digits++) byte = byte * 10 + (*at++ - '0');
        at = json_skip_blanks(at, last);
        if (digits == 0 || byte > 0xFF || (at < last && *at != ',')) return false;
        *end++ = (uint8_t)byte;
        if (at < last) at = json_skip_blanks(at + 1, last);
    }
    uint8_t *to = reader->scratch;
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
        reader->has_invalid_escapes |= is_invalid || (taken == 3 && memcmp(bytes, "\xEF\xBF\xBD", 3) == 0);
        for (int place = 0; place < (is_invalid ? 3 : taken); place++) *to++ = from[place];
        bytes += taken;
    }
    *text = span_of(reader->scratch, to);
    reader->scratch = to;
    return true;
}

static void list_members(JsonReader *reader, size_t first_item, size_t prefix);

/* Add the members of a nested object. */
static void list_inner(JsonReader *reader, Span json) {
    size_t first_item = reader->walk.items.size;
    reader->path.at[reader->path.size] = '.';
    if (json_walk(&reader->walk, json) == FITS) list_members(reader, first_item, reader->path.size + 1);
    reader->walk.items.size = first_item;
}

/* Add a member for each item from `first_item` on. The first `prefix` bytes of the path are the path of the object. */
static void list_members(JsonReader *reader, size_t first_item, size_t prefix) {
    size_t end = reader->walk.items.size;
    for (size_t place = first_item; place < end && !reader->walk.failed; place += sizeof(Item)) {
        Item item = *(Item *)(reader->walk.items.at + place);
        Span key = item.has_key_escapes ? decode(reader, item.key) : item.key;
        size_t at = reader->members.size;
        Member *member = bytes_extend(&reader->members, sizeof *member, &reader->walk.failed);
        if (member == NULL) return;
        *member = (Member){.key = key, .json = item.json};
        member->name = prefix ? names_find(reader->names, &reader->path, prefix, key)
                              : names_find_at(reader->names, &reader->path, place / sizeof(Item), key);
        if (member->name.field != FIELD_NONE) read_value(reader, &item, member);
        if (prefix == 0 && *item.json.at == '[' && span_is(key, "MESSAGE") &&
            read_bytes(reader, item.json, &member->text)) {
            member->kind = VALUE_TEXT;
        }
        if (member->name.is_object && *item.json.at == '{') {
            if (prefix == 0) names_find(reader->names, &reader->path, 0, key); /* writes the path */
            list_inner(reader, item.json);
            ((Member *)(reader->members.at + at))->inner = (reader->members.size - at) / sizeof(Member) - 1;
        }
    }
}

/* Return whether the text is a bundle, which Python divides: see bundle.py. */
static bool is_bundle(const Walk *walk) {
    const Item *first = (const Item *)walk->items.at;
    return walk->items.size && *first->json.at == '[' &&
           (span_is(first->key, "resourceLogs") || span_is(first->key, "Records"));
}

int json_read(JsonReader *reader, Span line, Row *row) {
    Walk *walk = &reader->walk;
    walk->items.size = reader->members.size = 0;
    int reason = json_walk(walk, line);
    if (reason != FITS) return reason;
    reader->memory.size = 0;
    if (!bytes_reserve(&reader->memory, 4 * line.size)) walk->failed = true;
    if (walk->failed) return JSON_NO_OBJECT;
    reader->scratch = reader->memory.at;
    reader->has_invalid_escapes = walk->has_invalid_escapes;
    if (walk->has_invalid_escapes || walk->has_key_escapes || walk->has_duplicate_keys) {
        Span rewritten = json_rewrite(walk, line, reader->scratch);
        reader->scratch += line.size;
        walk->items.size = 0;
        json_walk(walk, rewritten);
    }
    if (is_bundle(walk)) return JSON_BUNDLE;
    list_members(reader, 0, 0);
    if (walk->failed) return JSON_NO_OBJECT;
    fields_read((Member *)reader->members.at, reader->members.size / sizeof(Member), row, &reader->extras);
    return FITS;
}

void json_write(JsonReader *reader) {
    const Member *members = (const Member *)reader->members.at;
    fields_write(reader->builder, members, reader->members.size / sizeof *members, &reader->extras);
    if (reader->has_invalid_escapes)
        builder_json_member(reader->builder, span_of_text("invalid_escape"), span_of_text("true"));
}

void json_close(JsonReader *reader) {
    if (reader->walk.failed) reader->builder->failed = true;
    json_walk_close(&reader->walk);
    memory_free(reader->members.at);
    memory_free(reader->memory.at);
}
