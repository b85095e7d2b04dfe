/* One value of a row as text: of a JSON string, a JSON document or a cell of CSV. Texts from logs are hostile: a
 * character that is not printable for Python is written as an escape, as tui/clean.py does. */
#ifndef PUPPYLOG_CELL_H
#define PUPPYLOG_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that a function below writes for a text of `size` bytes. */
#define MAX_BYTES(size) (6 * (size) + 4)

uint8_t *put_integer(uint8_t *to, int64_t number);

/* Return whether Python has the year of an instant, in every zone. */
bool has_year(int64_t us);

/* Microseconds since 1970 as RFC 3339, with an offset if `is_utc`; without a fraction if it is zero, as Python's isoformat
 * writes it. Python must have the year. */
uint8_t *put_time(uint8_t *to, int64_t us, bool is_utc);

/* Each function writes a text and returns the end of what it wrote, or NULL if the text is not UTF-8. */

/* A text as a JSON string. */
uint8_t *put_json_string(uint8_t *to, const uint8_t *text, size_t size);

/* A JSON document, on one line, as it is. */
uint8_t *put_json_document(uint8_t *to, const uint8_t *text, size_t size);

/* A text as a cell of CSV, with an apostrophe before it if a spreadsheet would run it. */
uint8_t *put_csv_text(uint8_t *to, const uint8_t *text, size_t size);

/* A JSON document as a cell of CSV. */
uint8_t *put_csv_document(uint8_t *to, const uint8_t *text, size_t size);

/* Return whether a JSON text is exactly what Python's json module writes for its value. */
bool is_canonical_json(const uint8_t *text, size_t size);

/* Decode the character at `*at` and move `*at` to its end; return -1 if the bytes are not UTF-8. */
int32_t next_char(const uint8_t **at, const uint8_t *end);

#endif
