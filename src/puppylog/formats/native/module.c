/* The module _lines: one function for each reader. See _lines.pyi for what they take and return. */
#include "module.h"
#include "zones.h"

/* The state of one instance of the module. Each interpreter has its own instance, and so its own blocks. */
typedef struct {
    Kept kept;
    PyThread_type_lock
        lock; /* protects `kept`: in Python without a global lock, threads call the readers at the same time */
    PyTypeObject *buffer_type;
} State;

/* A block of memory of a builder, owned by Python. */
typedef struct {
    PyObject_HEAD
    Bytes bytes;
    int slot;
} Buffer;

static void lock(State *state) { PyThread_acquire_lock(state->lock, WAIT_LOCK); }

static void unlock(State *state) { PyThread_release_lock(state->lock); }

static void buffer_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    State *state = PyType_GetModuleState(type); /* a buffer keeps its type alive, and the type keeps the module alive */
    Buffer *buffer = (Buffer *)self;
    lock(state);
    memory_keep(&state->kept, buffer->slot, buffer->bytes);
    unlock(state);
    type->tp_free(self);
    Py_DECREF(type);
}

static int buffer_get(PyObject *self, Py_buffer *view, int flags) {
    static const uint8_t nothing; /* the address of an empty buffer */
    const Bytes *bytes = &((Buffer *)self)->bytes;
    void *at = bytes->at != NULL ? bytes->at : (void *)&nothing;
    return PyBuffer_FillInfo(view, self, at, (Py_ssize_t)bytes->size, 1, flags);
}

static PyType_Slot buffer_slots[] = {
    {Py_tp_dealloc, buffer_dealloc},
    {Py_bf_getbuffer, buffer_get},
    {Py_tp_doc, (void *)"Memory of a column, read-only."},
    {0, NULL},
};

static PyType_Spec buffer_spec = {
    .name = "puppylog.formats.native._lines.Buffer",
    .basicsize = sizeof(Buffer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = buffer_slots,
};

/* The list to which hand_over appends the blocks of a builder. */
typedef struct {
    PyTypeObject *buffer_type;
    PyObject *blocks;
} Given;

/* Append the block to the list, as a buffer that owns it. If a Python error is set, free the block. */
static void hand_over(Bytes *bytes, int slot, void *context) {
    Given *given = context;
    Buffer *buffer = PyErr_Occurred() ? NULL : PyObject_New(Buffer, given->buffer_type);
    if (buffer == NULL) {
        memory_free(bytes->at);
        return;
    }
    buffer->bytes = *bytes;
    buffer->slot = slot;
    PyList_Append(given->blocks, (PyObject *)buffer);
    Py_DECREF(buffer);
}

static void free_block(Bytes *bytes, int slot, void *context) {
    (void)slot, (void)context;
    memory_free(bytes->at);
}

static void keep_block(Bytes *bytes, int slot, void *kept) { memory_keep(kept, slot, *bytes); }

/* Pack the validity from one byte for each row into one bit for each row. */
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
    if (column->nulls == rows) return (Py_ssize_t)rows; /* no one reads the blocks of a column without a value */
    column->values.size = values_size;
    column->validity.size = rows;
    if (column->nulls) pack(&column->validity);
    return (Py_ssize_t)column->nulls;
}

static Py_ssize_t finish_texts(Builder *builder, Column *column) {
    builder_end_texts(builder, column);
    return finish_column(column, builder->rows, (builder->rows + 1) * sizeof(int32_t));
}

/* Set the sizes of the blocks with one value for each row; return the list of the number of nulls of each column. */
static PyObject *finish(Builder *builder) {
    size_t rows = builder->rows;
    builder->starts.size = builder->ts_us.size = rows * sizeof(int64_t);
    builder->is_local.size = rows;
    Py_ssize_t counts[TEXTS + 3];
    for (int column = 0; column < TEXTS; column++) {
        counts[column] = finish_texts(builder, &builder->texts[column]);
    }
    counts[TEXTS] = finish_column(&builder->status, rows, rows * sizeof(int16_t));
    counts[TEXTS + 1] = finish_column(&builder->bytes, rows, rows * sizeof(int64_t));
    counts[TEXTS + 2] = finish_texts(builder, &builder->attributes);
    PyObject *nulls = PyList_New(TEXTS + 3);
    for (int column = 0; nulls != NULL && column < TEXTS + 3; column++) {
        PyObject *count = PyLong_FromSsize_t(counts[column]);
        if (count == NULL) Py_CLEAR(nulls);
        else PyList_SET_ITEM(nulls, column, count);
    }
    return nulls;
}

/* Return the list of the long runs of continuation lines, each as its offset in bytes and its number of lines. */
static PyObject *list_runs(Builder *builder) {
    builder_end_run(builder);
    PyObject *runs = PyList_New((Py_ssize_t)builder->run_count);
    for (size_t place = 0; runs != NULL && place < builder->run_count; place++) {
        Run run = builder->runs[place];
        PyObject *pair = Py_BuildValue("(nn)", (Py_ssize_t)run.start, (Py_ssize_t)run.lines);
        if (pair == NULL) Py_CLEAR(runs);
        else PyList_SET_ITEM(runs, (Py_ssize_t)place, pair);
    }
    return runs;
}

/* Return the rows of the builder, whose memory Python now owns; NULL with an exception set if memory is exhausted or the
 * text is not UTF-8. */
static PyObject *give_rows(State *state, Builder *builder) {
    if (builder->is_damaged && !builder->failed) {
        lock(state);
        builder_each_block(builder, keep_block, &state->kept);
        unlock(state);
        PyErr_SetString(PyExc_UnicodeError, "the text is not UTF-8");
        return NULL;
    }
    if (builder->failed) PyErr_NoMemory();
    PyObject *nulls = builder->failed ? NULL : finish(builder);
    PyObject *blocks = nulls == NULL ? NULL : PyList_New(0);
    if (blocks == NULL) {
        Py_XDECREF(nulls);
        builder_each_block(builder, free_block, NULL);
        lock(state);
        memory_clear(&state->kept); /* so that other parts of the process can use this memory */
        unlock(state);
        return NULL;
    }
    builder_each_block(builder, hand_over, &(Given){state->buffer_type, blocks});
    if (PyErr_Occurred()) {
        Py_DECREF(nulls);
        Py_DECREF(blocks);
        return NULL;
    }
    PyObject *runs = list_runs(builder);
    if (runs == NULL) {
        Py_DECREF(nulls);
        Py_DECREF(blocks);
        return NULL;
    }
    return Py_BuildValue("(nNNnnnNnn)", (Py_ssize_t)builder->rows, nulls, blocks, (Py_ssize_t)builder->rowless,
                         (Py_ssize_t)builder->joined, (Py_ssize_t)builder->orphans, runs,
                         (Py_ssize_t)builder->ambiguous_zones, (Py_ssize_t)builder->parts);
}

PyObject *read_rows(PyObject *module, Py_buffer *text, ReadText *read, void *reading) {
    return read_records(module, text, read, reading, false);
}

PyObject *read_records(PyObject *module, Py_buffer *text, ReadText *read, void *reading, bool joins) {
    if (text->len > 0 && ((const char *)text->buf)[text->len - 1] != '\n') {
        PyErr_SetString(PyExc_ValueError, "the last line of the text has no newline");
        PyBuffer_Release(text);
        return NULL;
    }
    State *state = PyModule_GetState(module);
    Builder builder;
    lock(state);
    builder_begin(&builder, text->buf, (size_t)text->len, &state->kept);
    builder.joins = joins;
    unlock(state);
    Py_BEGIN_ALLOW_THREADS
    read(&builder, reading);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(text);
    return give_rows(state, &builder);
}

PyObject *read_alone(PyObject *module, PyObject *arguments, ReadText *read) {
    Py_buffer text;
    return PyArg_ParseTuple(arguments, "y*", &text) ? read_rows(module, &text, read, NULL) : NULL;
}

PyObject *read_joining(PyObject *module, PyObject *arguments, ReadText *read) {
    Py_buffer text;
    int joins;
    return PyArg_ParseTuple(arguments, "y*p", &text, &joins) ? read_records(module, &text, read, NULL, joins) : NULL;
}

static PyObject *read_with_names(PyObject *module, Py_buffer *text, Py_buffer *names, ReadText *read, bool joins) {
    Span table = {names->buf, (size_t)names->len};
    PyObject *rows = read_records(module, text, read, &table, joins);
    PyBuffer_Release(names);
    return rows;
}

PyObject *read_by_names(PyObject *module, PyObject *arguments, ReadText *read) {
    Py_buffer text, names;
    if (!PyArg_ParseTuple(arguments, "y*y*", &text, &names)) return NULL;
    return read_with_names(module, &text, &names, read, false);
}

PyObject *read_joined_by_names(PyObject *module, PyObject *arguments, ReadText *read) {
    Py_buffer text, names;
    int joins;
    if (!PyArg_ParseTuple(arguments, "y*y*p", &text, &names, &joins)) return NULL;
    return read_with_names(module, &text, &names, read, joins);
}

#ifdef PUPPYLOG_TEST_MEMORY
static PyObject *fail_allocation_after(PyObject *module, PyObject *arguments) {
    (void)module;
    long successes;
    if (!PyArg_ParseTuple(arguments, "l", &successes)) return NULL;
    memory_fails_after = successes;
    Py_RETURN_NONE;
}

/* Free the kept blocks, and return the number of blocks that are still allocated. */
static PyObject *count_blocks(PyObject *module, PyObject *nothing) {
    (void)nothing;
    State *state = PyModule_GetState(module);
    lock(state);
    memory_clear(&state->kept);
    unlock(state);
    return PyLong_FromLong(memory_blocks);
}
#endif

/* An enumeration of enums.h. */
typedef struct {
    const char *name;
    const char *const *texts; /* the last one is NULL */
} Enum;

#define TEXTS_OF(list) \
    (const char *const[]) { list(AS_TEXT) NULL }
#define PAIRS_OF(list) \
    (const char *const[]) { list(AS_PAIR) NULL }

#define AS_ZONE_TEXT(name, zone_m) #name " " #zone_m,
#define AS_NAME_TEXT(name) #name,
#define ZONE_TEXTS \
    (const char *const[]) { ZONES(AS_ZONE_TEXT) NULL }
#define AMBIGUOUS_TEXTS \
    (const char *const[]) { AMBIGUOUS_ZONES(AS_NAME_TEXT) NULL }
#define AREA_TEXTS \
    (const char *const[]) { ZONE_AREAS(AS_NAME_TEXT) NULL }

static const Enum ENUMS[] = {
    {"access variants", TEXTS_OF(ACCESS_VARIANTS)},
    {"access reasons", TEXTS_OF(ACCESS_REASONS)},
    {"cri reasons", TEXTS_OF(CRI_REASONS)},
    {"json reasons", TEXTS_OF(JSON_REASONS)},
    {"logfmt reasons", TEXTS_OF(LOGFMT_REASONS)},
    {"syslog reasons", TEXTS_OF(SYSLOG_REASONS)},
    {"apache_error reasons", TEXTS_OF(APACHE_ERROR_REASONS)},
    {"nginx_error reasons", TEXTS_OF(NGINX_ERROR_REASONS)},
    {"postgresql reasons", TEXTS_OF(POSTGRESQL_REASONS)},
    {"postgresql_csv reasons", TEXTS_OF(PGCSV_REASONS)},
    {"postgresql fields", TEXTS_OF(POSTGRESQL_FIELDS)},
    {"haproxy reasons", TEXTS_OF(HAPROXY_REASONS)},
    {"envoy reasons", TEXTS_OF(ENVOY_REASONS)},
    {"klog reasons", TEXTS_OF(KLOG_REASONS)},
    {"layout reasons", TEXTS_OF(LAYOUT_REASONS)},
    {"layout kinds", TEXTS_OF(LAYOUT_KINDS)},
    {"layout endings", TEXTS_OF(LAYOUT_ENDINGS)},
    {"text columns", TEXTS_OF(TEXT_COLUMNS)},
    {"named fields", TEXTS_OF(NAMED_FIELDS)},
    {"zones", ZONE_TEXTS},
    {"ambiguous zones", AMBIGUOUS_TEXTS},
    {"areas of zones", AREA_TEXTS},
    {"severities", TEXTS_OF(SEVERITIES)},
    {"severity notations", TEXTS_OF(SEVERITY_NOTATIONS)},
    {"name rules", TEXTS_OF(NAME_RULES)},
    {"name signs", TEXTS_OF(NAME_SIGNS)},
    {"severity spellings", PAIRS_OF(SEVERITY_SPELLINGS)},
};

static PyObject *list_texts(const char *const *texts) {
    PyObject *list = PyList_New(0);
    for (; list != NULL && *texts != NULL; texts++) {
        PyObject *text = PyUnicode_FromString(*texts);
        if (text == NULL || PyList_Append(list, text) < 0) Py_CLEAR(list);
        Py_XDECREF(text);
    }
    return list;
}

/* Add ENUMS: a dict of the name of each enumeration and the texts of its members, in the order of their numbers. */
static int add_enums(PyObject *module) {
    PyObject *enums = PyDict_New();
    if (enums == NULL) return -1;
    int failed = 0;
    for (size_t place = 0; !failed && place < sizeof ENUMS / sizeof *ENUMS; place++) {
        PyObject *texts = list_texts(ENUMS[place].texts);
        failed = texts == NULL || PyDict_SetItemString(enums, ENUMS[place].name, texts) < 0;
        Py_XDECREF(texts);
    }
    if (!failed) failed = PyModule_AddObjectRef(module, "ENUMS", enums) < 0;
    Py_DECREF(enums);
    return failed ? -1 : 0;
}

static int module_exec(PyObject *module) {
    State *state = PyModule_GetState(module);
    state->lock = PyThread_allocate_lock();
    if (state->lock == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    state->buffer_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &buffer_spec, NULL);
    return state->buffer_type == NULL ? -1 : add_enums(module);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    State *state = PyModule_GetState(module);
    Py_VISIT(state->buffer_type);
    return 0;
}

static int module_clear(PyObject *module) {
    State *state = PyModule_GetState(module);
    Py_CLEAR(state->buffer_type);
    return 0;
}

static void module_free(void *module) {
    State *state = PyModule_GetState(module);
    module_clear(module);
    memory_clear(&state->kept);
    if (state->lock != NULL) PyThread_free_lock(state->lock);
}

/* Return whether a text contains another one. Python's own search takes four times as long. */
static PyObject *contains(PyObject *module, PyObject *arguments) {
    (void)module;
    Py_buffer text, word;
    if (!PyArg_ParseTuple(arguments, "y*y*:contains", &text, &word)) return NULL;
    bool is_found = memmem(text.buf, (size_t)text.len, word.buf, (size_t)word.len) != NULL;
    PyBuffer_Release(&text);
    PyBuffer_Release(&word);
    return PyBool_FromLong(is_found);
}

static PyMethodDef methods[] = {
    {"access", native_access, METH_VARARGS, NULL},
    {"app", native_app, METH_VARARGS, NULL},
    {"apache_error", native_apache_error, METH_VARARGS, NULL},
    {"postgresql", native_postgresql, METH_VARARGS, NULL},
    {"postgresql_csv", native_postgresql_csv, METH_VARARGS, NULL},
    {"nginx_error", native_nginx_error, METH_VARARGS, NULL},
    {"envoy", native_envoy, METH_VARARGS, NULL},
    {"haproxy", native_haproxy, METH_VARARGS, NULL},
    {"json", native_json, METH_VARARGS, NULL},
    {"logfmt", native_logfmt, METH_VARARGS, NULL},
    {"contains", contains, METH_VARARGS, NULL},
    {"cri", native_cri, METH_VARARGS, NULL},
    {"klog", native_klog, METH_VARARGS, NULL},
    {"layout", native_layout, METH_VARARGS, NULL},
    {"plain", native_plain, METH_VARARGS, NULL},
    {"stamps", native_stamps, METH_VARARGS, NULL},
    {"syslog", native_syslog, METH_VARARGS, NULL},
#ifdef PUPPYLOG_TEST_MEMORY
    {"fail_allocation_after", fail_allocation_after, METH_VARARGS, NULL},
    {"count_blocks", count_blocks, METH_NOARGS, NULL},
#endif
    {0},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,         .m_name = "_lines",      .m_doc = "Readers of lines.",
    .m_size = sizeof(State),       .m_methods = methods,    .m_slots = module_slots,
    .m_traverse = module_traverse, .m_clear = module_clear, .m_free = module_free,
};

PyMODINIT_FUNC PyInit__lines(void) { return PyModuleDef_Init(&module); }
