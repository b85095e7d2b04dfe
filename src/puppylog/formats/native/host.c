#include "host.h"

#include "scan.h"

enum { MAX_PORT_LENGTH = 5 };

static inline bool is_letter(uint8_t byte) { return (uint8_t)((byte | 0x20) - 'a') < 26; }

static inline bool is_name_byte(uint8_t byte) {
    return is_letter(byte) || is_digit(byte) || byte >= 0x80 || byte == '.' || byte == '_' || byte == '%' ||
           byte == '-';
}

static inline bool is_hex_byte(uint8_t byte) {
    return is_digit(byte) || byte == '.' || (uint8_t)((byte | 0x20) - 'a') < 6;
}

/* Read `:port` up to the end; an empty text is no port. */
static bool read_port(const uint8_t *at, const uint8_t *end, Span *port) {
    *port = (Span){0};
    if (at == end) return true;
    if (*at++ != ':') return false;
    size_t size = (size_t)(end - at);
    if (size == 0 || size > MAX_PORT_LENGTH || (*at == '0' && size > 1)) return false;
    *port = span_of(at, end);
    for (; at < end; at++) {
        if (!is_digit(*at)) return false;
    }
    return true;
}

static bool read_named(const uint8_t *at, const uint8_t *end, Host *host) {
    const uint8_t *start = at;
    while (at < end && is_name_byte(*at)) at++;
    host->name = span_of(start, at);
    return at > start && read_port(at, end, &host->port);
}

static bool read_ipv6(const uint8_t *at, const uint8_t *end, Host *host) {
    int colons = 0;
    host->name = span_of(at, end);
    host->port = (Span){0};
    for (; at < end && (*at == ':' || is_hex_byte(*at)); at++) colons += *at == ':';
    if (colons < 2) return false;
    if (at == end) return true;
    if (*at++ != '%' || at == end) return false;
    for (; at < end; at++) {
        if (*at >= 0x80 || *at == '%' || !is_name_byte(*at)) return false;
    }
    return true;
}

static bool read_bracketed(const uint8_t *at, const uint8_t *end, Host *host) {
    if (*at != '[') return false;
    const uint8_t *start = ++at;
    bool has_colon = false;
    for (; at < end && (is_letter(*at) || is_digit(*at) || *at == '.' || *at == ':' || *at == '%'); at++)
        has_colon |= *at == ':';
    if (!has_colon || at == end || *at != ']') return false;
    host->name = span_of(start, at);
    return read_port(at + 1, end, &host->port);
}

bool host_read(Span text, Host *host) {
    const uint8_t *at = text.at, *end = at + text.size, *comma = find(at, end, ',');
    host->is_first = comma != NULL;
    if (comma != NULL) end = comma;
    while (at < end && *at == ' ') at++;
    while (at < end && end[-1] == ' ') end--;
    if (at == end) return false;
    if (read_named(at, end, host) || read_ipv6(at, end, host) || read_bracketed(at, end, host)) return true;
    host->name = span_of(at, end);
    host->port = (Span){0};
    return span_is(host->name, "unix:");
}
