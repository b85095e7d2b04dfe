/* Reads the fields of a message of protobuf. */
#ifndef PUPPYLOG_OTLP_WIRE_H
#define PUPPYLOG_OTLP_WIRE_H

#include "out.h"

typedef enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2, WIRE_FIXED32 = 5 } Wire;

typedef struct {
    uint32_t number;
    Wire wire;
    uint64_t value; /* of a number */
    Span content;   /* of a field with a length */
} Field;

/* The rest of a message. `is_damaged` is set if it is not the fields of a message. */
typedef struct {
    const uint8_t *at, *end;
    bool is_damaged;
} Message;

static inline Message message_of(Span content) {
    return (Message){content.at, content.size ? content.at + content.size : content.at, false};
}

/* Read the next field; return false at the end of the message, and if it is damaged. */
bool next_field(Message *message, Field *field);

#endif
