/* What module.c knows of the readers, and they of it. */
#ifndef PUPPYLOG_MODULE_H
#define PUPPYLOG_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "builder.h"

/* Whether the text ends with a newline, as all readers rely on; false, with ValueError set, if it does not. */
bool is_whole_lines(const Py_buffer *text);

/* Read the text, the only argument of a reader that needs nothing else. */
PyObject *read_alone(PyObject *arguments, void (*read)(Builder *builder));

/* Give the builder's rows to Python, and its memory with them; NULL, with MemoryError set, if it has failed. */
PyObject *give_rows(Builder *builder);

/* Read a text by a table of names, the two arguments of a reader that knows fields by their names. */
PyObject *read_by_names(PyObject *arguments, void (*read)(Builder *builder, Span table));

PyObject *native_access(PyObject *module, PyObject *arguments);
PyObject *native_json(PyObject *module, PyObject *arguments);
PyObject *native_logfmt(PyObject *module, PyObject *arguments);
PyObject *native_cri(PyObject *module, PyObject *arguments);
PyObject *native_layout(PyObject *module, PyObject *arguments);
PyObject *native_plain(PyObject *module, PyObject *arguments);
PyObject *native_syslog(PyObject *module, PyObject *arguments);

#endif
