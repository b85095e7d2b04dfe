"""Why a line of an access log is rejected, in the order of the checks. The first check that fails gives the reason."""

from puppylog.formats.reasons import TextReason


class Reason(TextReason):
    """See `TextReason`. ``native/enums.h`` has the same numbers."""

    NO_REQUEST = 0, "no time in brackets before a quoted request"
    TIME_FORM = 1, "time is not dd/Mon/yyyy:HH:MM:SS +zzzz"
    TIME_RANGE = 2, "time out of range"
    HEAD = 3, "no host, ident and user before the time"
    OPEN_QUOTE = 4, "an unclosed quote"
    STATUS = 5, "status is not three digits"
    BYTES = 6, "bytes is not a whole number of 63 bits"
    NO_REFERER = 7, "no referer and user agent"
    NO_AGENT = 8, "a referer but no user agent"
