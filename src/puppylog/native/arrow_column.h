/* A column of Arrow as Python passes it: the index of its first row, and its buffers.
 *
 * Buffers come from memory that another process may have written. So a module first checks that they hold all rows, and
 * reads the rows only then. Texts have their own check, because each offset of a text could lie outside of the data.
 */
#ifndef PUPPYLOG_ARROW_COLUMN_H
#define PUPPYLOG_ARROW_COLUMN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define WRONG_BUFFERS "the buffers of a column do not hold its rows"

typedef struct {
    size_t offset;                    /* index of the column's first row in its buffers */
    Py_buffer validity, values, data; /* .obj is NULL if the column has no such buffer */
} ArrowColumn;

/* Set `column` to the items of a tuple from index `first` on: offset, validity, values, data. Return false with an
 * exception if they are something else; the column then has no buffers. */
static inline bool take_column(PyObject *given, Py_ssize_t first, ArrowColumn *column) {
    Py_ssize_t offset = 0;
    PyObject *part = PyTuple_GetSlice(given, first, PyTuple_GET_SIZE(given));
    bool is_taken =
        part != NULL && PyArg_ParseTuple(part, "nz*z*z*", &offset, &column->validity, &column->values, &column->data);
    Py_XDECREF(part);
    if (!is_taken) *column = (ArrowColumn){0}; /* PyArg_ParseTuple has released the buffers that it had parsed */
    column->offset = (size_t)offset;
    if (is_taken && offset < 0) PyErr_Format(PyExc_ValueError, "a column cannot begin at row %zd", offset);
    return is_taken && offset >= 0;
}

static inline void release_column(ArrowColumn *column) {
    PyBuffer_Release(&column->validity);
    PyBuffer_Release(&column->values);
    PyBuffer_Release(&column->data);
}

/* Return whether the first two buffers are large enough for the rows.
 *
 * `width` is the size in bytes of a number, or of an offset if the values are offsets of texts, of which there is one
 * more than rows. It is 0 for booleans, which are bits. */
static inline bool has_rows(const ArrowColumn *column, size_t rows, size_t width, bool are_offsets) {
    if (column->offset > (size_t)PY_SSIZE_T_MAX / 2 || rows > (size_t)PY_SSIZE_T_MAX / 2) return false;
    size_t until = column->offset + rows;
    if (column->validity.buf != NULL && (size_t)column->validity.len < (until + 7) / 8) return false;
    if (width == 0) return (size_t)column->values.len >= (until + 7) / 8;
    return (size_t)column->values.len / width >= until + are_offsets;
}

static inline bool is_null(const ArrowColumn *column, size_t row) {
    const uint8_t *validity = column->validity.buf;
    size_t bit = column->offset + row;
    return validity != NULL && !(validity[bit / 8] >> bit % 8 & 1);
}

static inline bool read_bit(const ArrowColumn *column, size_t row) {
    size_t bit = column->offset + row;
    return ((const uint8_t *)column->values.buf)[bit / 8] >> bit % 8 & 1;
}

/* Functions that read a number from the second buffer, which may not be aligned. */
#define READ(type, name)                                                              \
    static inline type name(const ArrowColumn *column, size_t row) {                  \
        type value;                                                                   \
        const uint8_t *values = column->values.buf;                                   \
        memcpy(&value, values + (column->offset + row) * sizeof value, sizeof value); \
        return value;                                                                 \
    }
READ(int8_t, read_8)
READ(int16_t, read_16)
READ(int32_t, read_32)
READ(int64_t, read_64)
#undef READ

/* Return the index of `name` in `names`, some of which may be NULL, or `count` if it is none of them. */
static inline int find_name(const char *const *names, int count, const char *name) {
    int found = 0;
    while (found < count && (names[found] == NULL || strcmp(names[found], name) != 0)) found++;
    return found;
}

#endif
