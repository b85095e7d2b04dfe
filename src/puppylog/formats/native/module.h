/* What the readers and module.c have in common. */
#ifndef PUPPYLOG_MODULE_H
#define PUPPYLOG_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "lines.h"

/* Read all lines of the builder's text. Python's lock is not held. */
typedef void ReadText(Builder *builder, void *reading);

/* Read the text, which is released, and return what rows.py makes Rows of; `module` is the module of the reader. NULL,
 * with ValueError set, if the last line has no newline, or with MemoryError set if memory runs out. */
PyObject *read_rows(PyObject *module, Py_buffer *text, ReadText *read, void *reading);

/* The same for a reader whose only argument is the text. */
PyObject *read_alone(PyObject *module, PyObject *arguments, ReadText *read);

/* The same for a reader that knows fields by their names: it has a table as its second argument, and `read` is given the
 * table, a Span. */
PyObject *read_by_names(PyObject *module, PyObject *arguments, ReadText *read);

PyObject *native_access(PyObject *module, PyObject *arguments);
PyObject *native_json(PyObject *module, PyObject *arguments);
PyObject *native_logfmt(PyObject *module, PyObject *arguments);
PyObject *native_cri(PyObject *module, PyObject *arguments);
PyObject *native_layout(PyObject *module, PyObject *arguments);
PyObject *native_plain(PyObject *module, PyObject *arguments);
PyObject *native_syslog(PyObject *module, PyObject *arguments);

#endif
