/* Encodes Arrow columns as rows in PostgreSQL's binary COPY format. pgcopy.py does the same in Python.
 *
 * A row has the number of its fields (int16), then for each field its size (int32, -1 for a null) and its bytes. All
 * numbers are big-endian. The first pass over the columns checks the buffers and adds up the size of all rows; the
 * second pass writes the rows. No state is kept between two calls, and neither pass needs Python's lock (GIL).
 */
#include "../../../native/arrow_column.h"

#define EPOCH_US INT64_C(946684800000000) /* PostgreSQL counts from the year 2000 */

enum { SIZE = 4, MAX_FIELDS = 64 };
enum { JSONB_VERSION = 1 };

typedef enum { CONSTANT, INT2, INT4, INT8, TIMESTAMPTZ, TEXT, JSONB, KINDS } Kind;

/* PostgreSQL's names of the types, which the Python code passes. */
static const char *const NAMES[KINDS] = {[INT2] = "int2", [INT4] = "int4",
                                         [INT8] = "int8", [TIMESTAMPTZ] = "timestamptz",
                                         [TEXT] = "text", [JSONB] = "jsonb"};
/* The size in bytes of one value in the column's second buffer: a number, or the offset of a text. */
static const size_t WIDTHS[KINDS] = {[INT2] = 2, [INT4] = 4, [INT8] = 8, [TIMESTAMPTZ] = 8, [TEXT] = 4, [JSONB] = 4};

/* One part of all rows: a constant (the same bytes in each row) or a column. */
typedef struct {
    Kind kind;
    const uint8_t *constant;
    size_t constant_size;
    ArrowColumn column;
} Field;

typedef enum { FINE, BAD_BUFFERS, TIME_TOO_EARLY, TOO_LARGE } Fault;

static inline uint8_t *put_16(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return to + 2;
}

static inline uint8_t *put_32(uint8_t *to, uint32_t value) {
    return put_16(put_16(to, (uint16_t)(value >> 16)), (uint16_t)value);
}

static inline uint8_t *put_64(uint8_t *to, uint64_t value) {
    return put_32(put_32(to, (uint32_t)(value >> 32)), (uint32_t)value);
}

static inline bool is_text(const Field *field) { return field->kind >= TEXT; }

static Fault measure_constant(const Field *field, size_t rows, size_t *size) {
    if (field->constant_size && rows > PY_SSIZE_T_MAX / field->constant_size) return TOO_LARGE;
    *size += rows * field->constant_size;
    return FINE;
}

/* Add the encoded size of a column of texts to `size`. */
static Fault measure_texts(const Field *field, size_t rows, size_t *size) {
    const ArrowColumn *column = &field->column;
    size_t lead = field->kind == JSONB;
    int32_t start = read_32(column, 0);
    if (start < 0) return BAD_BUFFERS;
    for (size_t row = 0; row < rows; row++) {
        int32_t end = read_32(column, row + 1);
        if (end < start) return BAD_BUFFERS;
        *size += SIZE + (is_null(column, row) ? 0 : lead + (size_t)(end - start));
        start = end;
    }
    return start <= column->data.len ? FINE : BAD_BUFFERS;
}

/* Add the encoded size of a column of numbers to `size`. */
static Fault measure_numbers(const Field *field, size_t rows, size_t *size) {
    for (size_t row = 0; row < rows; row++) {
        bool is_set = !is_null(&field->column, row);
        *size += SIZE + (is_set ? WIDTHS[field->kind] : 0);
        bool is_time = field->kind == TIMESTAMPTZ && is_set;
        if (is_time && read_64(&field->column, row) < INT64_MIN + EPOCH_US) return TIME_TOO_EARLY;
    }
    return FINE;
}

/* Set `size` to the encoded size of all rows in bytes. */
static Fault measure(const Field *fields, size_t count, size_t rows, size_t *size) {
    *size = 0;
    for (size_t place = 0; place < count; place++) {
        const Field *field = &fields[place];
        Fault fault = FINE;
        if (field->kind == CONSTANT) fault = measure_constant(field, rows, size);
        else if (!has_rows(&field->column, rows, WIDTHS[field->kind], is_text(field))) fault = BAD_BUFFERS;
        else if (is_text(field)) fault = measure_texts(field, rows, size);
        else fault = measure_numbers(field, rows, size);
        if (fault != FINE) return fault;
        if (*size > PY_SSIZE_T_MAX) return TOO_LARGE;
    }
    return FINE;
}

static inline uint8_t *write_text(uint8_t *to, const Field *field, size_t row) {
    const ArrowColumn *column = &field->column;
    int32_t start = read_32(column, row);
    size_t size = (size_t)(read_32(column, row + 1) - start);
    bool has_version = field->kind == JSONB;
    to = put_32(to, (uint32_t)(size + has_version));
    if (has_version) *to++ = JSONB_VERSION;
    if (size) memcpy(to, (const uint8_t *)column->data.buf + start, size);
    return to + size;
}

static inline uint8_t *write_field(uint8_t *to, const Field *field, size_t row) {
    if (field->kind == CONSTANT) {
        memcpy(to, field->constant, field->constant_size);
        return to + field->constant_size;
    }
    const ArrowColumn *column = &field->column;
    if (is_null(column, row)) return put_32(to, UINT32_MAX);
    switch (field->kind) {
    case INT2: return put_16(put_32(to, 2), (uint16_t)read_16(column, row));
    case INT4: return put_32(put_32(to, 4), (uint32_t)read_32(column, row));
    case INT8: return put_64(put_32(to, 8), (uint64_t)read_64(column, row));
    case TIMESTAMPTZ: return put_64(put_32(to, 8), (uint64_t)(read_64(column, row) - EPOCH_US));
    default: return write_text(to, field, row);
    }
}

static void write_rows(uint8_t *to, const Field *fields, size_t count, size_t rows) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t place = 0; place < count; place++) to = write_field(to, &fields[place], row);
    }
}

/* Parse a field from Python: bytes, or a tuple (type, offset, validity, values, data). */
static bool take_field(PyObject *given, Field *field) {
    *field = (Field){.kind = CONSTANT};
    if (PyBytes_Check(given)) {
        field->constant = (const uint8_t *)PyBytes_AS_STRING(given);
        field->constant_size = (size_t)PyBytes_GET_SIZE(given);
        return true;
    }
    if (!PyTuple_Check(given) || PyTuple_GET_SIZE(given) == 0) {
        PyErr_SetString(PyExc_TypeError, "a field is bytes, or a tuple of a column's type, offset and buffers");
        return false;
    }
    const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(given, 0));
    if (name == NULL) return false;
    field->kind = (Kind)find_name(NAMES, KINDS, name);
    if (field->kind != KINDS) return take_column(given, 1, &field->column);
    PyErr_Format(PyExc_ValueError, "cannot encode a column of type %s", name);
    return false;
}

static void release_fields(Field *fields, size_t count) {
    for (size_t place = 0; place < count; place++) release_column(&fields[place].column);
}

static PyObject *encode_fields(const Field *fields, size_t count, size_t rows) {
    size_t size;
    Fault fault;
    Py_BEGIN_ALLOW_THREADS
    fault = measure(fields, count, rows, &size);
    Py_END_ALLOW_THREADS
    if (fault == BAD_BUFFERS) PyErr_SetString(PyExc_ValueError, WRONG_BUFFERS);
    if (fault == TIME_TOO_EARLY) PyErr_SetString(PyExc_OverflowError, "PostgreSQL has no time as early as this");
    if (fault == TOO_LARGE) PyErr_NoMemory();
    PyObject *encoded = fault == FINE ? PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size) : NULL;
    if (encoded == NULL) return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AS_STRING(encoded);
    Py_BEGIN_ALLOW_THREADS
    write_rows(to, fields, count, rows);
    Py_END_ALLOW_THREADS
    return encoded;
}

static PyObject *encode(PyObject *module, PyObject *arguments) {
    (void)module;
    Py_ssize_t rows;
    PyObject *given;
    if (!PyArg_ParseTuple(arguments, "nO!", &rows, &PyTuple_Type, &given)) return NULL;
    size_t count = (size_t)PyTuple_GET_SIZE(given), taken = 0;
    if (rows < 0 || count > MAX_FIELDS) {
        PyErr_SetString(PyExc_ValueError, "cannot encode rows: there are less than none, or more than 64 fields");
        return NULL;
    }
    Field fields[MAX_FIELDS];
    bool is_ready = true;
    while (is_ready && taken < count) {
        is_ready = take_field(PyTuple_GET_ITEM(given, (Py_ssize_t)taken), &fields[taken]);
        taken++;
    }
    PyObject *encoded = is_ready ? encode_fields(fields, count, (size_t)rows) : NULL;
    release_fields(fields, taken);
    return encoded;
}

static PyMethodDef methods[] = {
    {"encode", encode, METH_VARARGS, "encode(rows, fields): the rows in PostgreSQL's binary COPY format"},
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
    PyModuleDef_HEAD_INIT, .m_name = "_pgcopy",     .m_doc = "Rows for PostgreSQL's COPY.",
    .m_methods = methods,  .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__pgcopy(void) { return PyModuleDef_Init(&module); }
