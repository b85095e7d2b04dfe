/* What the readers and module.c share. */
#ifndef PUPPYLOG_MODULE_H
#define PUPPYLOG_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "lines.h"

/* Read all lines of the builder's text. Is called without Python's lock. */
typedef void ReadText(Builder *builder, void *reading);

/* Read the text, release it, and return what rows.py makes Rows of; `module` is the module of the reader. Return NULL
 * with ValueError set if the last line has no newline, UnicodeError if the text is not UTF-8, or MemoryError. */
PyObject *read_rows(PyObject *module, Py_buffer *text, ReadText *read, void *reading);

/* Do the same for a reader of records of several lines. If `joins` is true, lines that do not begin a record are joined to
 * the record before. Such a reader takes `joins` as its last argument. */
PyObject *read_records(PyObject *module, Py_buffer *text, ReadText *read, void *reading, bool joins);

/* Do the same for a reader whose only arguments are the text and `joins`. */
PyObject *read_joining(PyObject *module, PyObject *arguments, ReadText *read);

/* Do the same as read_rows for a reader whose only argument is the text. */
PyObject *read_alone(PyObject *module, PyObject *arguments, ReadText *read);

/* Do the same for a reader that uses the names of fields: its second argument is the table of names, and `read` gets
 * the table as a Span. */
PyObject *read_by_names(PyObject *module, PyObject *arguments, ReadText *read);

/* Do the same for a reader of records of several lines, whose third argument is `joins`. */
PyObject *read_joined_by_names(PyObject *module, PyObject *arguments, ReadText *read);

PyObject *native_app(PyObject *module, PyObject *arguments);
PyObject *native_access(PyObject *module, PyObject *arguments);
PyObject *native_apache_error(PyObject *module, PyObject *arguments);
PyObject *native_postgresql(PyObject *module, PyObject *arguments);
PyObject *native_postgresql_csv(PyObject *module, PyObject *arguments);
PyObject *native_nginx_error(PyObject *module, PyObject *arguments);
PyObject *native_envoy(PyObject *module, PyObject *arguments);
PyObject *native_haproxy(PyObject *module, PyObject *arguments);
PyObject *native_json(PyObject *module, PyObject *arguments);
PyObject *native_logfmt(PyObject *module, PyObject *arguments);
PyObject *native_cri(PyObject *module, PyObject *arguments);
PyObject *native_klog(PyObject *module, PyObject *arguments);
PyObject *native_layout(PyObject *module, PyObject *arguments);
PyObject *native_plain(PyObject *module, PyObject *arguments);
PyObject *native_stamps(PyObject *module, PyObject *arguments);
PyObject *native_syslog(PyObject *module, PyObject *arguments);

#endif
