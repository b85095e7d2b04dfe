/* JSON lines: see json_lines.py. */
#include "json_text.h"
#include "module.h"

typedef struct {
    Builder *builder;
    Names names;
    Path path;
    Walk walk;
    Bytes members; /* Member */
    uint8_t *room; /* where texts without their escapes go */
} Reading;

static Span decode(Reading *reading, Span string) {
    Span text = {reading->room, json_decode(string, reading->room)};
    reading->room += text.size;
    return text;
}

static Span text_of(Reading *reading, Span json, bool has_escapes) {
    Span string = {json.at + 1, json.size - 2};
    return has_escapes ? decode(reading, string) : string;
}

/* A list of one text is as good as the text: headers are lists. */
static void read_list(Reading *reading, Member *member) {
    const uint8_t *last = member->json.at + member->json.size - 1;
    const uint8_t *at = json_skip_blanks(member->json.at + 1, last);
    if (*at != '"') return;
    const uint8_t *until = json_string_end(at + 1) + 1;
    if (json_skip_blanks(until, last) != last) return;
    Span json = span_of(at, until);
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
    case '{': case 't': case 'f': break;
    default:
        member->kind = VALUE_NUMBER;
        member->text = item->json;
    }
}

static void list_members(Reading *reading, size_t first_item, size_t prefix);

/* Add the members of an object in an object. */
static void list_inner(Reading *reading, Span json) {
    size_t first_item = reading->walk.items.size;
    reading->path.at[reading->path.size] = '.';
    if (json_walk(&reading->walk, json) == JSON_FITS) list_members(reading, first_item, reading->path.size + 1);
    reading->walk.items.size = first_item;
}

/* Make members of the items from the first one on; the path's first `prefix` bytes are those of their object. */
static void list_members(Reading *reading, size_t first_item, size_t prefix) {
    size_t until = reading->walk.items.size;
    for (size_t place = first_item; place < until && !reading->walk.failed; place += sizeof(Item)) {
        Item item = *(Item *)(reading->walk.items.at + place);
        Member member = {.key = item.has_key_escapes ? decode(reading, item.key) : item.key, .json = item.json};
        member.name = names_find(&reading->names, &reading->path, prefix, member.key);
        if (member.name.field != FIELD_NONE) read_value(reading, &item, &member);
        size_t at = reading->members.size;
        if (!bytes_append(&reading->members, &member, sizeof member, &reading->walk.failed)) return;
        if (member.name.is_object && *item.json.at == '{') {
            list_inner(reading, item.json);
            ((Member *)(reading->members.at + at))->inner = (reading->members.size - at) / sizeof(Member) - 1;
        }
    }
}

static int read_line(Reading *reading, Span line, Row *row) {
    if (line.size == 0) return JSON_EMPTY;
    Walk *walk = &reading->walk;
    walk->items.size = reading->members.size = 0;
    int reason = json_walk(walk, line);
    if (reason != JSON_FITS) return reason;
    reading->room = builder_scratch(reading->builder, 4 * line.size);
    if (reading->room == NULL) return JSON_EMPTY;
    bool has_nothings = walk->has_nothings;
    if (walk->has_nothings || walk->has_key_escapes || walk->has_twins) {
        Span tidy = json_tidy(walk, line, reading->room);
        reading->room += line.size;
        walk->items.size = 0;
        json_walk(walk, tidy);
    }
    list_members(reading, 0, 0);
    if (walk->failed) return JSON_EMPTY;
    Member *members = (Member *)reading->members.at;
    size_t count = reading->members.size / sizeof *members;
    fields_read(members, count, reading->room, row);
    fields_write(reading->builder, members, count);
    if (has_nothings) builder_json_member(reading->builder, span_of_text("invalid_escape"), span_of_text("true"));
    return JSON_FITS;
}

static void read_text(Builder *builder, Span table) {
    Reading reading = {.builder = builder};
    names_open(&reading.names, table);
    for (const uint8_t *line = builder->text, *newline; line < builder->end; line = newline + 1) {
        newline = memchr(line, '\n', (size_t)(builder->end - line));
        const uint8_t *until = newline - (newline > line && newline[-1] == '\r');
        Row row = {0};
        int reason = read_line(&reading, span_of(line, until), &row);
        size_t at = (size_t)(line - builder->text);
        if (reason == JSON_FITS) builder_record(builder, at, &row);
        else builder_reject(builder, at, (uint8_t)reason);
    }
    if (reading.walk.failed) builder->failed = true;
    json_walk_close(&reading.walk);
    memory_free(reading.members.at);
}

PyObject *native_json(PyObject *module, PyObject *arguments) {
    (void)module;
    return read_by_names(arguments, read_text);
}
