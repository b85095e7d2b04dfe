/* Reads JSON lines: see json_lines.py. */
#include "inner.h"
#include "json_reader.h"
#include "module.h"

typedef struct {
    JsonReader json;
    Inner inner;
} Reading;

/* Return whether the message of the row is a line that a container wrote, as Docker keeps it: the member `log`, with
 * the member `stream`. */
static bool is_of_container(const JsonReader *reader) {
    const Member *members = (const Member *)reader->members.at;
    size_t count = reader->members.size / sizeof *members;
    bool has_log = false, has_stream = false;
    for (size_t place = 0; place < count; place += 1 + members[place].inner) {
        const Member *member = &members[place];
        if (member->key.size == 6 && span_is(member->key, "stream")) has_stream = *member->json.at == '"';
        if (member->key.size == 3 && span_is(member->key, "log") && member->kind == VALUE_TEXT)
            has_log = member->is_used && without_dash(member->text).size;
    }
    return has_log && has_stream;
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    Row row = {0};
    int reason = json_read(&reading->json, line, &row);
    if (reason != FITS) return reason;
    bool is_nested = row.text[MESSAGE].size && is_of_container(&reading->json) &&
                     inner_is_possible(builder, (Span){0}, row.text[MESSAGE]);
    json_write(&reading->json);
    if (is_nested) inner_read(&reading->inner, (Span){0}, false, &row);
    builder_record(builder, line.at, &row);
    builder->keys.is_watched = false;
    return FITS;
}

static void read_text(Builder *builder, void *table) {
    Names names;
    names_open(&names, *(const Span *)table);
    Reading reading = {.json = {.builder = builder, .names = &names}};
    inner_open(&reading.inner, builder, *(const Span *)table);
    read_lines(builder, read_line, NULL, &reading);
    json_close(&reading.json);
    inner_close(&reading.inner);
}

PyObject *native_json(PyObject *module, PyObject *arguments) { return read_by_names(module, arguments, read_text); }
