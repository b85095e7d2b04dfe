/* The module _records: see _records.pyi. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "record.h"

typedef struct {
    Span source;
    size_t start, end; /* in the text of all lines */
} Part;

/* A request that is being written. */
typedef struct {
    Out lines;
    Out parts; /* of type Part */
    Severities severities;
    size_t records, max_records, max_bytes;
} Request;

static bool read_resource(Span content, Common *common, Span *source) {
    Message message = message_of(content);
    Field field;
    uint64_t dropped = 0;
    bool has_source = false;
    while (next_field(&message, &field)) {
        Attribute attribute;
        Kind kind;
        Field value;
        if (field.number == 2 && field.wire == WIRE_VARINT) {
            dropped = (uint32_t)field.value;
            continue;
        }
        if (field.number == 2) return false;
        if (field.number != 1) continue;
        if (field.wire != WIRE_LENGTH || !add_attribute(common, field.content)) return false;
        if (has_source || !read_attribute(field.content, &attribute) || attribute.key.size != 12 ||
            memcmp(attribute.key.at, "service.name", 12) != 0)
            continue;
        if (!find_value(attribute.value, &kind, &value)) return false;
        has_source = true;
        if (kind == VALUE_STRING) *source = value.content;
    }
    return !message.is_damaged && add_number(common, "otel.resource.dropped_attributes_count", dropped);
}

/* Add the members of a scope. Its attributes come after its name and version. */
static bool read_scope(Span content, Common *common) {
    Message message = message_of(content);
    Field field;
    Span name = {0}, version = {0};
    uint64_t dropped = 0;
    while (next_field(&message, &field)) {
        if (field.number > 4) continue;
        if (field.wire != (field.number == 4 ? WIRE_VARINT : WIRE_LENGTH)) return false;
        if (field.number == 1) name = field.content;
        if (field.number == 2) version = field.content;
        if (field.number == 4) dropped = (uint32_t)field.value;
    }
    if (message.is_damaged || !add_text(common, "otel.scope.name", name) ||
        !add_text(common, "otel.scope.version", version))
        return false;
    message = message_of(content);
    while (next_field(&message, &field)) {
        if (field.number == 3 && !add_attribute(common, field.content)) return false;
    }
    return add_number(common, "otel.scope.dropped_attributes_count", dropped);
}

/* Find the fields 1 and 3 of the logs of a resource or a scope: what they are of, and the URL of the schema. */
static bool find_head(Span content, Span *head, Span *schema_url) {
    Message message = message_of(content);
    Field field;
    bool has_head = false;
    while (next_field(&message, &field)) {
        if (field.number > 3) continue;
        if (field.wire != WIRE_LENGTH || (field.number == 1 && has_head)) return false;
        if (field.number == 1) {
            has_head = true;
            *head = field.content;
        }
        if (field.number == 3) *schema_url = field.content;
    }
    return !message.is_damaged;
}

static bool write_records(Request *request, Span scope_logs, Common *common) {
    Message message = message_of(scope_logs);
    Field field;
    while (next_field(&message, &field)) {
        if (field.number != 2) continue;
        if (++request->records > request->max_records) return false;
        if (!write_record(&request->lines, field.content, common, &request->severities)) return false;
        if (request->lines.size > request->max_bytes || request->lines.failed) return false;
    }
    return true;
}

static bool has_records(Span scope_logs) {
    Message message = message_of(scope_logs);
    Field field;
    while (next_field(&message, &field)) {
        if (field.number == 2) return true;
    }
    return message.is_damaged;
}

static bool write_scope_logs(Request *request, Span resource_logs, Span scope_logs) {
    if (!has_records(scope_logs)) return true; /* its attributes, which may be large, are not needed */
    Span resource = {0}, resource_url = {0}, scope = {0}, scope_url = {0};
    Common common = {0};
    Part part = {.start = request->lines.size};
    bool is_regular = find_head(resource_logs, &resource, &resource_url) && find_head(scope_logs, &scope, &scope_url) &&
                      read_scope(scope, &common) && add_text(&common, "otel.scope.schema_url", scope_url) &&
                      read_resource(resource, &common, &part.source) &&
                      add_text(&common, "otel.resource.schema_url", resource_url) &&
                      write_records(request, scope_logs, &common);
    request->lines.failed |= common.members.failed;
    out_free(&common.members);
    part.end = request->lines.size;
    out_bytes(&request->parts, &part, sizeof part);
    return is_regular;
}

static bool write_request(Request *request, Span body) {
    Message message = message_of(body);
    Field field, inner;
    while (next_field(&message, &field)) {
        if (field.number != 1) continue;
        if (field.wire != WIRE_LENGTH) return false;
        Message logs = message_of(field.content);
        while (next_field(&logs, &inner)) {
            if (inner.number != 2) continue;
            if (inner.wire != WIRE_LENGTH || !write_scope_logs(request, field.content, inner.content)) return false;
        }
        if (logs.is_damaged) return false;
    }
    return !message.is_damaged;
}

static PyObject *give_parts(const Request *request) {
    const Part *parts = (const Part *)request->parts.at;
    PyObject *list = PyList_New(0);
    for (size_t place = 0; list != NULL && place < request->parts.size / sizeof *parts; place++) {
        const Part *part = &parts[place];
        PyObject *pair =
            Py_BuildValue("(y#y#)", part->source.at ? (const char *)part->source.at : "", (Py_ssize_t)part->source.size,
                          (const char *)request->lines.at + part->start, (Py_ssize_t)(part->end - part->start));
        if (pair == NULL || PyList_Append(list, pair) < 0) Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    return list;
}

static PyObject *give(Request *request, bool is_regular) {
    const Severities *severities = &request->severities;
    if (request->lines.failed || request->parts.failed) return PyErr_NoMemory();
    if (is_regular) return give_parts(request);
    if (!severities->is_missing) Py_RETURN_NONE;
    return Py_BuildValue("(iy#)", severities->number, severities->text.at ? (const char *)severities->text.at : "",
                         (Py_ssize_t)severities->text.size);
}

static PyObject *write_lines(PyObject *module, PyObject *arguments) {
    (void)module;
    Py_buffer body, table;
    Py_ssize_t max_records, max_bytes;
    if (!PyArg_ParseTuple(arguments, "y*y*nn", &body, &table, &max_records, &max_bytes)) return NULL;
    Request request = {
        .severities = {.table = {table.buf, (size_t)table.len}},
        .max_records = (size_t)max_records,
        .max_bytes = (size_t)max_bytes,
    };
    bool is_regular;
    Py_BEGIN_ALLOW_THREADS
    is_regular = write_request(&request, (Span){body.buf, (size_t)body.len});
    Py_END_ALLOW_THREADS
    PyObject *given = give(&request, is_regular);
    out_free(&request.lines);
    out_free(&request.parts);
    PyBuffer_Release(&body);
    PyBuffer_Release(&table);
    return given;
}

static PyMethodDef methods[] = {
    {"write_lines", write_lines, METH_VARARGS, NULL},
    {0},
};

static PyModuleDef_Slot module_slots[] = {
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_records",    .m_doc = "Writes log records of OTLP as lines of JSON.",
    .m_methods = methods,  .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__records(void) { return PyModuleDef_Init(&module); }
