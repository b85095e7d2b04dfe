"""How far a live tail has come in all files, as the short ``id`` of a server-sent event.

A browser sends the id back in a header when it connects again, and the server may have been started anew meanwhile. So
the id alone, with what the store knows then, must give the offset of every file at that moment. A list of all files is
too long for a store with thousands of them. The id has a limited size, and what does not fit is a sum:

- If the list of all files fits, it is the list.
- Otherwise, it is the list of the files that have moved last, and *sums* over all files. Each file adds its offset to
  three of the sums. Later, the store tells which files have not moved since, so their offsets are known, and are taken
  off the sums. A sum in which a single unknown offset is left is that offset, which is taken off two other sums. This
  finds the offsets of up to about 200 files that have moved, of any number of files. A checksum shows whether it did.
"""

import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from puppylog.monitor.arrivals import MAX_COMMIT_S, FilePosition, Reading

_VERSION: Final = 1
_LIST_BYTES: Final = 3000  # if the list of all files is longer, there are sums. 4 characters of the id are 3 bytes
_SHORT_LIST_BYTES: Final = 1300  # of the list beside sums
_PARTS: Final = 3
_PART: Final = 90
SUMS: Final = _PARTS * _PART
_SUM_BYTES: Final = 6  # an offset is below 2**48
_MODULUS: Final = 1 << (8 * _SUM_BYTES)
_WORD: Final = (1 << 64) - 1
_MARGINS_S: Final = (0.0, MAX_COMMIT_S, 3600.0)


class UnreadablePosition(Exception):
    """The text is not a position in a live tail of this store."""


@dataclass(frozen=True, slots=True)
class Found:
    """The offsets that a position stands for."""

    offsets: Mapping[int, int]  # by the id of the file
    unknown: Collection[int]  # files that have moved since, from an offset that cannot be told; not in ``offsets``


class Sums:
    """The sums over all files, and their checksum."""

    def __init__(self, sums: list[int] | None = None, checksum: int = 0) -> None:
        self.sums = sums or [0] * SUMS
        self.checksum = checksum

    def copy(self) -> "Sums":
        return Sums(list(self.sums), self.checksum)

    def move(self, file_id: int, start: int, end: int) -> None:
        """Replace the offset of a file; that of a file that was not added yet is 0."""
        for cell in _cells_of(file_id):
            self.sums[cell] = (self.sums[cell] + end - start) % _MODULUS
        self.checksum = (self.checksum + _mix(file_id, end) - _mix(file_id, start)) & _WORD


def write_position(store_id: str, reading: Reading, sums: Sums) -> str:
    """Return a position as text of at most 4,096 characters, which may stand in a URL and in a header.

    Args:
        store_id: of the store, so that a position of another store is refused.
        reading: the positions of all files.
        sums: over the same positions.
    """
    head = bytes([_VERSION]) + _identify(store_id) + reading.read_us.to_bytes(8)
    listed = _write_list({file_id: position.byte_offset for file_id, position in reading.positions.items()})
    if len(listed) <= _LIST_BYTES:
        return _to_text(head + b"\0" + listed)
    newest = sorted(reading.positions.items(), key=lambda item: item[1].moved_us, reverse=True)
    count = _SHORT_LIST_BYTES // 4
    while (
        len(listed := _write_list({key: position.byte_offset for key, position in newest[:count]})) > _SHORT_LIST_BYTES
    ):
        count = count * _SHORT_LIST_BYTES // (len(listed) + 1)
    packed = b"".join(number.to_bytes(_SUM_BYTES) for number in sums.sums)
    return _to_text(head + b"\1" + sums.checksum.to_bytes(8) + packed + listed)


def read_position(text: str, store_id: str, now: Reading) -> Found:
    """Return the offsets that a position stands for.

    Args:
        text: what `write_position` has returned.
        store_id: of the store.
        now: the present positions of all files.

    Raises:
        UnreadablePosition: the text is not a position, or one of another store.
    """
    try:
        data = _from_text(text)
        if data[0] != _VERSION or data[1:5] != _identify(store_id):
            raise UnreadablePosition("it is of another store, or of another version of the server")
        read_us = int.from_bytes(data[5:13])
        if data[13] == 0:
            offsets = _read_list(data[14:])
            return Found(_drop_unknown_files(offsets, now), ())
        checksum = int.from_bytes(data[14:22])
        end = 22 + SUMS * _SUM_BYTES
        numbers = [int.from_bytes(data[at : at + _SUM_BYTES]) for at in range(22, end, _SUM_BYTES)]
        listed = _read_list(data[end:])
    except (ValueError, IndexError) as error:
        raise UnreadablePosition("it is not a position in a live tail") from error
    return _solve(Sums(numbers, checksum), listed, read_us, now)


def _drop_unknown_files(offsets: Mapping[int, int], now: Reading) -> dict[int, int]:
    return {file_id: offset for file_id, offset in offsets.items() if file_id in now.positions}


def _solve(sums: Sums, listed: Mapping[int, int], read_us: int, now: Reading) -> Found:
    """Return the offsets at the moment ``read_us``, from those that are listed, those that are the same now, and sums.

    A commit that was running at that moment may have an earlier instant. So files that have moved within a minute
    before count as moved, and if the checksum is wrong, those that have moved within an hour.
    """
    others = {file_id: position for file_id, position in now.positions.items() if file_id not in listed}
    for margin_s in _MARGINS_S:
        since_us = read_us - round(margin_s * 1e6)
        moved = {file_id: position for file_id, position in others.items() if position.moved_us >= since_us}
        still = {file_id: position.byte_offset for file_id, position in others.items() if file_id not in moved}
        solved = _solve_moved(sums, {**listed, **still}, moved)
        if solved is not None:
            return Found(_drop_unknown_files({**listed, **still, **solved}, now), ())
    since_us = read_us - round(MAX_COMMIT_S * 1e6)
    still = {file_id: position.byte_offset for file_id, position in others.items() if position.moved_us < since_us}
    return Found(_drop_unknown_files({**listed, **still}, now), tuple(others.keys() - still.keys()))


def _solve_moved(sums: Sums, known: Mapping[int, int], moved: Mapping[int, FilePosition]) -> dict[int, int] | None:
    """Return the earlier offsets of the files that have moved; None if the sums do not tell all of them."""
    rest = sums.copy()
    for file_id, offset in known.items():
        rest.move(file_id, offset, 0)
    members: list[set[int]] = [set() for _ in range(SUMS)]
    for file_id in moved:
        for cell in _cells_of(file_id):
            members[cell].add(file_id)
    solved: dict[int, int] = {}
    ready = [cell for cell in range(SUMS) if len(members[cell]) == 1]
    while ready:
        found = members[ready.pop()]
        if len(found) != 1:
            continue  # it was found in another sum meanwhile
        [file_id] = found
        offset = next(rest.sums[cell] for cell in _cells_of(file_id) if len(members[cell]) == 1)
        if offset > moved[file_id].byte_offset:
            return None
        solved[file_id] = offset
        rest.move(file_id, offset, 0)
        for cell in _cells_of(file_id):
            members[cell].discard(file_id)
            if len(members[cell]) == 1:
                ready.append(cell)
    return solved if len(solved) == len(moved) and rest.checksum == 0 and not any(rest.sums) else None


def _cells_of(file_id: int) -> Iterator[int]:
    """Yield the indexes of the sums that a file belongs to: one in each part."""
    for part in range(_PARTS):
        yield part * _PART + _mix(file_id, -1 - part) % _PART


def _mix(number: int, other: int) -> int:
    """Return 64 bits that look random, but 0 for an offset of 0: a file at its start adds nothing."""
    if other == 0:
        return 0
    mixed = (number * 0x9E3779B97F4A7C15 + other * 0xD1B54A32D192ED03) & _WORD
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _WORD
    return mixed ^ (mixed >> 31)


def _identify(store_id: str) -> bytes:
    return zlib.crc32(store_id.encode()).to_bytes(4)


def _write_list(offsets: Mapping[int, int]) -> bytes:
    """Return offsets as numbers of 7 bits a byte: the difference to the last id, and the offset, for each file."""
    written = bytearray()
    before = 0
    for file_id, offset in sorted(offsets.items()):
        if offset:
            _append(written, file_id - before)
            _append(written, offset)
            before = file_id
    return bytes(written)


def _append(written: bytearray, number: int) -> None:
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)


def _read_list(data: bytes) -> dict[int, int]:
    numbers = []
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number = shift = 0
    if shift or len(numbers) % 2:
        raise ValueError("the list is cut off")
    offsets: dict[int, int] = {}
    file_id = 0
    for difference, offset in zip(numbers[::2], numbers[1::2], strict=True):
        file_id += difference
        offsets[file_id] = offset
    return offsets


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data + zlib.crc32(data).to_bytes(4)).decode().rstrip("=")


def _from_text(text: str) -> bytes:
    """Return the bytes of a position.

    Raises:
        ValueError: the text is not what `_to_text` returns.
    """
    data = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    if zlib.crc32(data[:-4]).to_bytes(4) != data[-4:]:
        raise ValueError("the text is damaged")
    return data[:-4]
