"""Why a line of an access log is rejected, in the order of the checks. The first check that fails gives the reason."""

from puppylog.formats.reasons import TextReason


class Reason(TextReason):
    """See `TextReason`. ``native/enums.h`` has the same numbers."""

    EMPTY = 0, "empty line"
    NO_REQUEST = 1, "no time in brackets before a quoted request"
    TIME_FORM = 2, "time is not dd/Mon/yyyy:HH:MM:SS +zzzz"
    TIME_RANGE = 3, "time out of range"
    HEAD = 4, "no host, ident and user before the time"
    OPEN_QUOTE = 5, "an unclosed quote"
    STATUS = 6, "status is not three digits"
    BYTES = 7, "bytes is not a whole number of 63 bits"
    NO_REFERER = 8, "no referer and user agent"
    NO_AGENT = 9, "a referer but no user agent"
