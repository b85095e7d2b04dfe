/* Reads JSON lines: see json_lines.py. */
#include "container.h"
#include "inner.h"
#include "json_reader.h"
#include "module.h"

typedef struct {
    JsonReader json;
    Inner inner;
    ContainerLine before;
} Reading;

/* Return the stream if the message of the row is a line that a container wrote, as Docker keeps it: the member `log`,
 * with the member `stream`, which may have any name. Return -1 if it is none. Set `log` to the line with its newline. */
static int find_stream(const JsonReader *reader, Span *log) {
    const Member *members = (const Member *)reader->members.at;
    size_t count = reader->members.size / sizeof *members;
    bool has_log = false;
    int stream = -1;
    for (size_t place = 0; place < count; place += 1 + members[place].inner) {
        const Member *member = &members[place];
        if (member->key.size == 6 && span_is(member->key, "stream"))
            stream = *member->json.at == '"' ? stream_of((Span){member->json.at + 1, member->json.size - 2}) : -1;
        if (member->key.size == 3 && span_is(member->key, "log") && member->kind == VALUE_TEXT) {
            has_log = member->is_used && without_dash(member->text).size;
            *log = member->text;
        }
    }
    return has_log ? stream : -1;
}

INLINED int read_line(Builder *builder, Span line, void *given) {
    Reading *reading = given;
    Row row;
    row_begin(&row);
    int reason = json_read(&reading->json, line, &row);
    if (reason != FITS) return reason;
    Span log = {0};
    int stream = find_stream(&reading->json, &log);
    if (stream >= 0 && row.ts_us != NO_TIME) {
        bool is_part = log.at[log.size - 1] != '\n';
        ContainerLine now = container_line(line, stream, row.ts_us, is_part, row.text[MESSAGE]);
        if (container_join(builder, &reading->before, line, &now, row.text[MESSAGE])) return FITS;
    }
    bool is_nested = stream >= 0 && inner_is_possible(builder, (Span){0}, row.text[MESSAGE]);
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

PyObject *native_json(PyObject *module, PyObject *arguments) {
    return read_joined_by_names(module, arguments, read_text);
}
