"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

from typing import Final

NOT_SYSLOG: Final = "no priority and no time at the start"
PRIORITY: Final = "priority is not a number from 0 to 191 in angle brackets"
TIME_FORM: Final = "time is not yyyy-mm-ddTHH:MM:SS or a dash"
TIME_RANGE: Final = "time out of range"
HEADER: Final = "no host, application, process and message id after the time"
NO_TAG: Final = "no host and tag after the time"
NO_MESSAGE: Final = "no message"

REASONS: Final = (NOT_SYSLOG, PRIORITY, TIME_FORM, TIME_RANGE, HEADER, NO_TAG, NO_MESSAGE)


class Mismatch(ValueError):
    """The line is not syslog."""

    def __init__(self, reason: str, at: int) -> None:
        """Create the exception.

        Args:
            reason: one of `REASONS`.
            at: the offset of the mismatch in the message, in characters.
        """
        super().__init__(reason)
        self.reason = reason
        self.at = at
