/* The module: one function for each reader. It takes a text, whole lines of UTF-8, and gives what rows.py says. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "module.h"

/* A block of a builder's memory in the hands of Python. */
typedef struct {
    PyObject_HEAD
    Bytes bytes;
    int slot;
} Buffer;

static void buffer_dealloc(Buffer *self) {
    memory_give_back(self->slot, self->bytes);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

static int buffer_get(Buffer *self, Py_buffer *view, int flags) {
    static uint8_t nothing;
    void *at = self->bytes.at != NULL ? self->bytes.at : &nothing;
    return PyBuffer_FillInfo(view, (PyObject *)self, at, (Py_ssize_t)self->bytes.size, 1, flags);
}

static PyBufferProcs buffer_procs = {.bf_getbuffer = (getbufferproc)buffer_get};

static PyTypeObject buffer_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "puppylog.formats.native._lines.Buffer",
    .tp_basicsize = sizeof(Buffer),
    .tp_dealloc = (destructor)buffer_dealloc,
    .tp_as_buffer = &buffer_procs,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "Memory of a column, read-only.",
};

bool is_whole_lines(const Py_buffer *text) {
    if (text->len == 0 || ((const char *)text->buf)[text->len - 1] == '\n') return true;
    PyErr_SetString(PyExc_ValueError, "the last line of the text has no newline");
    return false;
}

/* Append the block to the list in `context`, as a buffer that owns it from now on. */
static void hand_over(Bytes *bytes, int slot, void *context) {
    PyObject *blocks = context;
    Buffer *buffer = PyErr_Occurred() ? NULL : PyObject_New(Buffer, &buffer_type);
    if (buffer == NULL) {
        memory_give_back(slot, *bytes);
        return;
    }
    *buffer = (Buffer){.ob_base = buffer->ob_base, .bytes = *bytes, .slot = slot};
    PyList_Append(blocks, (PyObject *)buffer);
    Py_DECREF(buffer);
}

static void give_back(Bytes *bytes, int slot, void *context) {
    (void)context;
    memory_give_back(slot, *bytes);
}

/* Pack the validity, one byte for each row, into bits. */
static void pack(Bytes *validity) {
    size_t rows = validity->size;
    for (size_t row = 0; row < rows; row += 8) {
        uint8_t bits = 0;
        for (size_t bit = 0; bit < 8 && row + bit < rows; bit++) bits |= (uint8_t)(validity->at[row + bit] << bit);
        validity->at[row / 8] = bits;
    }
    validity->size = (rows + 7) / 8;
}

static Py_ssize_t finish_column(Column *column, size_t rows, size_t values_size) {
    column->values.size = values_size;
    column->validity.size = rows;
    if (column->nulls) pack(&column->validity);
    return (Py_ssize_t)column->nulls;
}

/* Set the sizes of what has one value for each row; return how many nulls each column has. */
static PyObject *finish(Builder *builder) {
    size_t rows = builder->rows;
    builder->at.size = builder->ts_us.size = rows * sizeof(int64_t);
    builder->is_local.size = rows;
    Py_ssize_t counts[TEXTS + 3];
    for (int column = 0; column < TEXTS; column++) {
        counts[column] = finish_column(&builder->texts[column], rows, (rows + 1) * sizeof(int32_t));
    }
    counts[TEXTS] = finish_column(&builder->status, rows, rows * sizeof(int16_t));
    counts[TEXTS + 1] = finish_column(&builder->bytes, rows, rows * sizeof(int64_t));
    counts[TEXTS + 2] = finish_column(&builder->attributes, rows, (rows + 1) * sizeof(int32_t));
    PyObject *nulls = PyList_New(TEXTS + 3);
    for (int column = 0; nulls != NULL && column < TEXTS + 3; column++) {
        PyObject *count = PyLong_FromSsize_t(counts[column]);
        if (count == NULL) Py_CLEAR(nulls);
        else PyList_SET_ITEM(nulls, column, count);
    }
    return nulls;
}

PyObject *give_rows(Builder *builder) {
    if (builder->failed) PyErr_NoMemory();
    PyObject *nulls = builder->failed ? NULL : finish(builder);
    PyObject *blocks = nulls == NULL ? NULL : PyList_New(0);
    if (blocks == NULL) {
        Py_XDECREF(nulls);
        builder_each_block(builder, give_back, NULL);
        memory_forget(); /* nobody else can have it as long as we keep it */
        return NULL;
    }
    builder_each_block(builder, hand_over, blocks);
    if (PyErr_Occurred()) {
        Py_DECREF(nulls);
        Py_DECREF(blocks);
        return NULL;
    }
    return Py_BuildValue("(nNNn)", (Py_ssize_t)builder->rows, nulls, blocks, (Py_ssize_t)builder->joined);
}

PyObject *read_by_names(PyObject *arguments, void (*read)(Builder *builder, Span table)) {
    Py_buffer text, names;
    if (!PyArg_ParseTuple(arguments, "y*y*", &text, &names)) return NULL;
    Builder builder;
    bool is_ready = is_whole_lines(&text);
    if (is_ready) {
        builder_begin(&builder, text.buf, (size_t)text.len);
        Py_BEGIN_ALLOW_THREADS
        read(&builder, (Span){names.buf, (size_t)names.len});
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&text);
    PyBuffer_Release(&names);
    return is_ready ? give_rows(&builder) : NULL;
}

PyObject *read_alone(PyObject *arguments, void (*read)(Builder *builder)) {
    Py_buffer text;
    if (!PyArg_ParseTuple(arguments, "y*", &text)) return NULL;
    Builder builder;
    bool is_ready = is_whole_lines(&text);
    if (is_ready) {
        builder_begin(&builder, text.buf, (size_t)text.len);
        Py_BEGIN_ALLOW_THREADS
        read(&builder);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&text);
    return is_ready ? give_rows(&builder) : NULL;
}

#ifdef PUPPYLOG_TEST_MEMORY
static PyObject *fail_allocation_after(PyObject *self, PyObject *arguments) {
    (void)self;
    if (!PyArg_ParseTuple(arguments, "l", &memory_fails_after)) return NULL;
    Py_RETURN_NONE;
}

/* Free what is kept, and return how many blocks are still allocated. */
static PyObject *count_blocks(PyObject *self, PyObject *nothing) {
    (void)self, (void)nothing;
    memory_forget();
    return PyLong_FromLong(memory_blocks);
}
#endif

static PyMethodDef methods[] = {
    {"access", native_access, METH_VARARGS, "access(text, variant): see access/native.py"},
    {"json", native_json, METH_VARARGS, "json(text, names): see json_lines.py"},
    {"logfmt", native_logfmt, METH_VARARGS, "logfmt(text, names): see logfmt.py"},
    {"cri", native_cri, METH_VARARGS, "cri(text): see cri.py"},
    {"layout", native_layout, METH_VARARGS, "layout(text, lead, steps, …): see layout/reader.py"},
    {"plain", native_plain, METH_VARARGS, "plain(text): see plain.py"},
    {"syslog", native_syslog, METH_VARARGS, "syslog(text, year, month, day): see syslog/syslog.py"},
#ifdef PUPPYLOG_TEST_MEMORY
    {"fail_allocation_after", fail_allocation_after, METH_VARARGS, "fail_allocation_after(successes)"},
    {"count_blocks", count_blocks, METH_NOARGS, "count_blocks()"},
#endif
    {0},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, .m_name = "_lines", .m_doc = "Readers of lines.", .m_size = -1, .m_methods = methods,
};

PyMODINIT_FUNC PyInit__lines(void) {
    if (PyType_Ready(&buffer_type) < 0) return NULL;
    return PyModule_Create(&module);
}
