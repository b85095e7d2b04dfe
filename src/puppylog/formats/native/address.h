/* Takes the port off an address. address.py does the same in Python. */
#ifndef PUPPYLOG_ADDRESS_H
#define PUPPYLOG_ADDRESS_H

#include "cursor.h"

enum { MAX_PORT_DIGITS = 5 };

/* Return the host of `host:port`, and set `port`. If there is no port after the last colon, return the whole address and
 * an empty port. The square brackets of an IPv6 address are left out. */
static inline Span address_split(Span address, Span *port) {
    const uint8_t *end = address.at + address.size, *colon = end;
    *port = (Span){0};
    while (colon > address.at && is_digit(colon[-1])) colon--;
    if (colon - address.at >= 2 && colon[-1] == ':' && colon < end && end - colon <= MAX_PORT_DIGITS) {
        *port = span_of(colon, end);
        end = colon - 1;
    }
    if (end - address.at > 2 && address.at[0] == '[' && end[-1] == ']') return span_of(address.at + 1, end - 1);
    return span_of(address.at, end);
}

/* Do the same for an address that may have a port or not: an IPv6 address without brackets has none. */
static inline Span address_split_sure(Span address, Span *port) {
    const uint8_t *end = address.at + address.size, *colon = find_near(address.at, end, ':');
    bool is_ipv6 = colon != NULL && address.at[0] != '[' && find_near(colon + 1, end, ':') != NULL;
    *port = (Span){0};
    return is_ipv6 ? address : address_split(address, port);
}

/* Return the first of addresses that are separated by commas, without its port. */
static inline Span address_first(Span addresses) {
    Cursor cursor = cursor_of(addresses);
    Span first, port;
    if (!take_until(&cursor, ',', &first)) first = addresses;
    while (first.size && first.at[first.size - 1] == ' ') first.size--;
    return address_split_sure(first, &port);
}

#endif
