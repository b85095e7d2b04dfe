/* Writes Arrow columns as rows of JSON or CSV. text.py does the same in Python, row by row.
 *
 * A row is, for each column, the column's prefix (such as `, "host": `) and its value, and then the end of the row. One
 * pass writes all rows into a block that grows before each value. No state is kept between two calls, and the pass
 * does not need Python's lock (GIL).
 */
#include "../native/arrow_column.h"

#include <stdlib.h>

#include "cell.h"

/* BITS: booleans. RAW: texts that are written as they are. OTHER: not a kind. */
typedef enum { INT8, INT16, INT32, INT64, BITS, TIMES, TEXT, LARGE_TEXT, DOCUMENT, RAW, KINDS } Kind;
static const char *const NAMES[KINDS] = {"int8", "int16", "int32",      "int64",    "bool",
                                         "time", "text",  "large_text", "document", "raw"};
/* The size in bytes of one value in the column's second buffer: a number, or the offset of a text. */
static const size_t WIDTHS[KINDS] = {1, 2, 4, 8, 0, 8, 4, 8, 4, 4};

enum { MAX_NUMBER = 64 }; /* more bytes than a number or a time needs */
enum { FIRST_BYTES = 1 << 16 };

typedef struct {
    Kind kind;
    bool is_utc;      /* of times: whether they have an offset */
    Py_buffer prefix; /* the bytes before each value */
    ArrowColumn buffers;
} Column;

typedef struct {
    bool is_csv;
    size_t rows, count;
    Column *columns;
    const uint8_t *end;
    size_t end_size;
} Answer;

typedef struct {
    uint8_t *start, *at, *limit;
} Block;

typedef enum { FINE, BAD_BUFFERS, BAD_TEXT, BAD_TIME, NO_MEMORY } Fault;

static inline bool is_text(const Column *column) { return column->kind >= TEXT; }

/* Return whether Arrow's buffers are large enough for the column's rows. */
static bool has_all_rows(const Column *column, size_t rows) {
    return has_rows(&column->buffers, rows, WIDTHS[column->kind], is_text(column));
}

static bool grow(Block *block, size_t more) {
    size_t used = (size_t)(block->at - block->start), capacity = (size_t)(block->limit - block->start);
    while (capacity - used < more) {
        if (capacity > (size_t)PY_SSIZE_T_MAX / 2) return false;
        capacity *= 2;
    }
    uint8_t *start = realloc(block->start, capacity);
    if (start == NULL) return false;
    *block = (Block){start, start + used, start + capacity};
    return true;
}

static inline bool reserve(Block *block, size_t more) {
    return (size_t)(block->limit - block->at) >= more || grow(block, more);
}

static inline uint8_t *put(uint8_t *to, const void *bytes, size_t size) {
    memcpy(to, bytes, size);
    return to + size;
}

static Fault write_number(Block *block, const Column *column, size_t row, bool is_csv) {
    if (!reserve(block, MAX_NUMBER)) return NO_MEMORY;
    const ArrowColumn *numbers = &column->buffers;
    uint8_t *to = block->at;
    int64_t us;
    switch (column->kind) {
    case INT8: to = put_integer(to, read_8(numbers, row)); break;
    case INT16: to = put_integer(to, read_16(numbers, row)); break;
    case INT32: to = put_integer(to, read_32(numbers, row)); break;
    case INT64: to = put_integer(to, read_64(numbers, row)); break;
    case BITS: to = read_bit(numbers, row) ? put(to, "true", 4) : put(to, "false", 5); break;
    default:
        us = read_64(numbers, row);
        if (!has_year(us)) return BAD_TIME;
        if (!is_csv) *to++ = '"';
        to = put_time(to, us, column->is_utc);
        if (!is_csv) *to++ = '"';
    }
    block->at = to;
    return FINE;
}

/* Set `text` and `size` to a text of the column; return whether the offsets lie within its data. */
static bool find_text(const Column *column, size_t row, const uint8_t **text, size_t *size) {
    const ArrowColumn *texts = &column->buffers;
    int64_t start, end;
    if (column->kind == LARGE_TEXT) start = read_64(texts, row), end = read_64(texts, row + 1);
    else start = read_32(texts, row), end = read_32(texts, row + 1);
    if (start < 0 || end < start || end > texts->data.len) return false;
    *text = texts->data.buf == NULL ? (const uint8_t *)"" : (const uint8_t *)texts->data.buf + start;
    *size = (size_t)(end - start);
    return true;
}

static Fault write_text(Block *block, const Column *column, size_t row, bool is_csv) {
    const uint8_t *text;
    size_t size;
    if (!find_text(column, row, &text, &size)) return BAD_BUFFERS;
    if (size > (size_t)PY_SSIZE_T_MAX / 16 || !reserve(block, MAX_BYTES(size))) return NO_MEMORY;
    uint8_t *to;
    switch (column->kind) {
    case RAW: to = put(block->at, text, size); break;
    case DOCUMENT: to = (is_csv ? put_csv_document : put_json_document)(block->at, text, size); break;
    default: to = (is_csv ? put_csv_text : put_json_string)(block->at, text, size);
    }
    if (to == NULL) return BAD_TEXT;
    block->at = to;
    return FINE;
}

static Fault write_value(Block *block, const Column *column, size_t row, bool is_csv) {
    size_t prefix = (size_t)column->prefix.len;
    if (!reserve(block, prefix + 4)) return NO_MEMORY;
    block->at = put(block->at, column->prefix.buf, prefix);
    if (is_null(&column->buffers, row)) {
        if (!is_csv) block->at = put(block->at, "null", 4);
        return FINE;
    }
    return is_text(column) ? write_text(block, column, row, is_csv) : write_number(block, column, row, is_csv);
}

static Fault write_rows(Block *block, const Answer *answer) {
    for (size_t place = 0; place < answer->count; place++) {
        if (!has_all_rows(&answer->columns[place], answer->rows)) return BAD_BUFFERS;
    }
    for (size_t row = 0; row < answer->rows; row++) {
        for (size_t place = 0; place < answer->count; place++) {
            Fault fault = write_value(block, &answer->columns[place], row, answer->is_csv);
            if (fault != FINE) return fault;
        }
        if (!reserve(block, answer->end_size)) return NO_MEMORY;
        block->at = put(block->at, answer->end, answer->end_size);
    }
    return FINE;
}

/* Parse a column from Python: (kind, prefix, offset, validity, values, data). */
static bool parse_column(PyObject *given, Column *column) {
    *column = (Column){.kind = KINDS};
    if (!PyTuple_Check(given) || PyTuple_GET_SIZE(given) < 2) {
        PyErr_SetString(PyExc_TypeError, "a column is a tuple of its kind, prefix, offset and buffers");
        return false;
    }
    const char *name = PyUnicode_AsUTF8(PyTuple_GET_ITEM(given, 0));
    if (name == NULL) return false;
    column->is_utc = strcmp(name, "utc_time") == 0;
    column->kind = (Kind)find_name(NAMES, KINDS, column->is_utc ? NAMES[TIMES] : name);
    if (column->kind == KINDS) {
        PyErr_Format(PyExc_ValueError, "cannot write a column of kind %s", name);
        return false;
    }
    return PyObject_GetBuffer(PyTuple_GET_ITEM(given, 1), &column->prefix, PyBUF_SIMPLE) == 0 &&
           take_column(given, 2, &column->buffers);
}

static void release(Column *column) {
    PyBuffer_Release(&column->prefix);
    release_column(&column->buffers);
}

static void release_columns(Column *columns, size_t count) {
    for (size_t place = 0; place < count; place++) release(&columns[place]);
    PyMem_Free(columns);
}

/* Take all columns of the tuple `given`; return NULL with an exception if one is wrong. */
static Column *take_columns(PyObject *given, size_t count) {
    Column *columns = PyMem_Calloc(count + 1, sizeof *columns);
    if (columns == NULL) return (Column *)PyErr_NoMemory();
    for (size_t place = 0; place < count; place++) {
        if (!parse_column(PyTuple_GET_ITEM(given, (Py_ssize_t)place), &columns[place])) {
            release_columns(columns, place + 1);
            return NULL;
        }
    }
    return columns;
}

static PyObject *write_answer(const Answer *answer) {
    Block block = {.start = malloc(FIRST_BYTES)};
    Fault fault = NO_MEMORY;
    if (block.start != NULL) {
        block.at = block.start;
        block.limit = block.start + FIRST_BYTES;
        Py_BEGIN_ALLOW_THREADS
        fault = write_rows(&block, answer);
        Py_END_ALLOW_THREADS
    }
    PyObject *written = NULL;
    switch (fault) {
    case FINE: written = PyBytes_FromStringAndSize((const char *)block.start, block.at - block.start); break;
    case BAD_BUFFERS: PyErr_SetString(PyExc_ValueError, WRONG_BUFFERS); break;
    case BAD_TEXT: PyErr_SetString(PyExc_ValueError, "a text is not UTF-8"); break;
    case BAD_TIME: PyErr_SetString(PyExc_OverflowError, "a time is outside of the years that Python has"); break;
    case NO_MEMORY: PyErr_NoMemory(); break;
    }
    free(block.start);
    return written;
}

static PyObject *write_call(PyObject *module, PyObject *arguments) {
    (void)module;
    int is_csv;
    Py_ssize_t rows;
    PyObject *given;
    Py_buffer end;
    if (!PyArg_ParseTuple(arguments, "pnO!y*", &is_csv, &rows, &PyTuple_Type, &given, &end)) return NULL;
    PyObject *written = NULL;
    if (rows < 0) {
        PyErr_SetString(PyExc_ValueError, "cannot write less than no rows");
    } else {
        Answer answer = {.is_csv = is_csv != 0,
                         .rows = (size_t)rows,
                         .count = (size_t)PyTuple_GET_SIZE(given),
                         .end = end.buf,
                         .end_size = (size_t)end.len};
        answer.columns = take_columns(given, answer.count);
        if (answer.columns != NULL) {
            written = write_answer(&answer);
            release_columns(answer.columns, answer.count);
        }
    }
    PyBuffer_Release(&end);
    return written;
}

/* Append to `found` the indexes of the documents that Python's json module would write in another way. Return false with
 * an exception if that fails. */
static bool find_other_json(const Column *column, size_t rows, PyObject *found) {
    for (size_t row = 0; row < rows; row++) {
        const uint8_t *text;
        size_t size;
        if (is_null(&column->buffers, row)) continue;
        if (!find_text(column, row, &text, &size)) {
            PyErr_SetString(PyExc_ValueError, WRONG_BUFFERS);
            return false;
        }
        if (is_canonical_json(text, size)) continue;
        PyObject *index = PyLong_FromSize_t(row);
        bool is_appended = index != NULL && PyList_Append(found, index) == 0;
        Py_XDECREF(index);
        if (!is_appended) return false;
    }
    return true;
}

static PyObject *find_call(PyObject *module, PyObject *arguments) {
    (void)module;
    Py_ssize_t rows;
    PyObject *given;
    Column column;
    if (!PyArg_ParseTuple(arguments, "nO", &rows, &given)) return NULL;
    PyObject *found = parse_column(given, &column) ? PyList_New(0) : NULL;
    if (found != NULL && (rows < 0 || column.kind != DOCUMENT || !has_all_rows(&column, (size_t)rows))) {
        PyErr_SetString(PyExc_ValueError, WRONG_BUFFERS);
        Py_CLEAR(found);
    }
    if (found != NULL && !find_other_json(&column, (size_t)rows, found)) Py_CLEAR(found);
    release(&column);
    return found;
}

static PyMethodDef methods[] = {
    {"write", write_call, METH_VARARGS, "write(is_csv, rows, columns, end): the rows as bytes"},
    {"find_other_json", find_call, METH_VARARGS, "find_other_json(rows, column): the documents that are not canonical"},
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
    PyModuleDef_HEAD_INIT, .m_name = "_rows",       .m_doc = "Rows as JSON and CSV.",
    .m_methods = methods,  .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__rows(void) { return PyModuleDef_Init(&module); }
