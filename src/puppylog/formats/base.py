"""What a format must do."""

from typing import Protocol

from puppylog.model.record import Parsed


class Format(Protocol):
    """Bytes of whole lines to columns. Pure: the same bytes give the same rows, in whatever pieces they come."""

    @property
    def name(self) -> str:
        """What a person writes to ask for it."""

    def parse(self, data: bytes | memoryview, offset: int) -> Parsed:
        r"""Make one row of each line in ``data``: a record, or a reject with its reason and its bytes.

        ``data`` is whole lines, each ended by ``\n``; it may be empty. ``offset`` is where it starts in its file. Must
        never drop a line, nor fail for what a line holds; must be callable from several threads at once.

        Raises:
            ValueError: the last line has no end.
        """
