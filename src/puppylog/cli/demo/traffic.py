"""Log lines of the shop, as many as wanted and always the same for one seed: for the demo, the bench and tests.

Lines are made in columns, a block at a time, so that a file of any size takes the memory of one block. Garbage is put
in on request; how many lines of it no log format fits is counted while they are made, not afterwards.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from puppylog.cli.demo.shop import NO_BODY, Floats, Ints, make_shop

# 64 Ki lines are about 12 MB: large enough for the columns to pay, small enough for any machine.
BLOCK_LINES = 65_536

# A visitor stays for a while: the same few thousand hosts fill some minutes of a log, others the next ones.
REQUESTS_PER_VISIT = 12


@dataclass(frozen=True, slots=True)
class Block:
    data: bytes  # whole lines
    lines: int
    rejects: int  # so many of them fit no log format; each of the others becomes a record


class Traffic:
    """An endless supply of lines. Two with the same arguments, asked the same, give the same bytes."""

    def __init__(self, *, seed: int = 1, garbage_share: float = 0.0) -> None:
        self._rng = np.random.default_rng(seed)
        self._shop = make_shop(seed)
        self._garbage_share = garbage_share

    def make_block(self, lines: int, since: datetime, until: datetime) -> Block:
        """Return ``lines`` lines that arrived at random moments of ``[since, until)``, in order."""
        if not lines:
            return Block(b"", 0, 0)
        texts = self._join_columns(lines, since, until)
        spoilt = np.flatnonzero(self._rng.random(lines) < self._garbage_share)
        if not len(spoilt):
            return Block(_to_bytes(texts), lines, 0)
        replacements, rejects = self._spoil(texts.take(pa.array(spoilt)).to_pylist())
        mask = np.zeros(lines, dtype=np.bool_)
        mask[spoilt] = True
        texts = pc.replace_with_mask(texts, pa.array(mask), pa.array(replacements, pa.binary()))
        return Block(_to_bytes(texts), lines, rejects)

    def iter_blocks(
        self, lines: int, *, since: datetime, rate_per_s: float, block_lines: int = BLOCK_LINES
    ) -> Iterator[Block]:
        """Yield ``lines`` lines in blocks, their times moving on from ``since`` at this rate."""
        made = 0
        while made < lines:
            count = min(block_lines, lines - made)
            begin, end = (since + timedelta(seconds=n / rate_per_s) for n in (made, made + count))
            yield self.make_block(count, begin, end)
            made += count

    def _join_columns(self, lines: int, since: datetime, until: datetime) -> pa.Array:
        rng, shop = self._rng, self._shop
        visits = _pick(shop.visitors.cumulative, rng.random(1 + lines // REQUESTS_PER_VISIT))
        who = visits[rng.integers(0, len(visits), lines)]
        what = _pick(shop.requests.cumulative, rng.random(lines))
        agents = shop.visitors.agents[who]
        requests = shop.requests
        protocols = np.where(requests.complete[what], agents, len(shop.protocols) - 1)
        referers = 1 + _pick(shop.referers_cumulative, rng.random(lines))
        referers = np.where(rng.random(lines) < requests.referred[what], referers, 0)
        statuses, sizes = self._answers(what)
        columns = [
            shop.visitors.prefixes.take(pa.array(who)),
            self._times(lines, since, until),
            pa.scalar(b'] "', pa.binary()),
            requests.texts.take(pa.array(what)),
            shop.protocols.take(pa.array(protocols)),
            pa.scalar(b'" ', pa.binary()),
            statuses,
            pa.scalar(b" ", pa.binary()),
            sizes,
            pa.scalar(b' "', pa.binary()),
            shop.referers.take(pa.array(referers)),
            pa.scalar(b'" "', pa.binary()),
            shop.agents.take(pa.array(agents)),
            pa.scalar(b'"\n', pa.binary()),
        ]
        return pc.binary_join_element_wise(*columns, pa.scalar(b"", pa.binary()))

    def _times(self, lines: int, since: datetime, until: datetime) -> pa.Array:
        start, length = math.floor(since.timestamp()), until.timestamp() - since.timestamp()
        fraction = since.timestamp() - start
        seconds = start + np.floor(np.sort(self._rng.random(lines)) * length + fraction).astype(np.int64)
        distinct, which = np.unique(seconds, return_inverse=True)
        instants = pa.array(distinct).cast(pa.timestamp("s", "UTC"))
        return pc.strftime(instants, "%d/%b/%Y:%H:%M:%S %z").cast(pa.binary()).take(pa.array(which))

    def _answers(self, what: Ints) -> tuple[pa.Array, pa.Array]:
        """Return the statuses and the sizes that the requests are answered with."""
        rng, shop = self._rng, self._shop
        kinds = shop.requests.kinds[what]
        column = (rng.random(len(what))[:, None] > shop.statuses_cumulative[kinds]).sum(axis=1)
        statuses = shop.statuses[kinds, column]
        spread = shop.requests.size_spread[what]
        sizes = np.rint(shop.requests.size_bytes[what] * np.exp(spread * rng.standard_normal(len(what))))
        bodies = pa.array(sizes.astype(np.int64), mask=np.isin(statuses, NO_BODY))
        return _to_digits(pa.array(statuses)), pc.fill_null(_to_digits(bodies), b"-")

    def _spoil(self, lines: list[bytes]) -> tuple[list[bytes], int]:
        """Return what stands in the log instead of ``lines``, and how many of these are no lines of the format."""
        spoilt, rejects = [], 0
        for line, kind in zip(lines, self._rng.integers(0, 4, len(lines)).tolist(), strict=True):
            if kind == 0:
                spoilt.append(_with_tls_hello(line))
                continue
            rejects += 1
            if kind == 1:
                spoilt.append(_cut(line, self._rng.random()))
            elif kind == 2:
                spoilt.append(self._binary_line())
            else:
                spoilt.append(b"AH00558: httpd: could not reliably determine the server's name\n")
        return spoilt, rejects

    def _binary_line(self) -> bytes:
        data = self._rng.integers(128, 256, int(self._rng.integers(8, 200)), dtype=np.uint8)
        return data.tobytes() + b"\n"


def _pick(cumulative: Floats, draws: Floats) -> Ints:
    return np.asarray(np.searchsorted(cumulative, draws, side="right"))


def _to_digits(numbers: pa.Array) -> pa.Array:
    return numbers.cast(pa.string()).cast(pa.binary())


def _to_bytes(lines: pa.Array) -> bytes:
    """Return the lines' bytes one after another: they lie like this already, each ends in its newline."""
    _, offsets, data = lines.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32, count=len(lines) + lines.offset + 1)
    return bytes(memoryview(data)[bounds[lines.offset] : bounds[-1]])


def _with_tls_hello(line: bytes) -> bytes:
    """Return the line that a server logs when TLS is spoken to its plain port: odd, and yet of the format."""
    prefix, _, _ = line.partition(b'"')
    return prefix + rb'"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03" 400 226 "-" "-"' + b"\n"


def _cut(line: bytes, where: float) -> bytes:
    """Return the line as a full disk leaves it: it ends within a quoted field, so it can be no shorter format."""
    quotes = [at for at, byte in enumerate(line) if byte == ord('"')]
    opening, closing = (quotes[0], quotes[1]) if where < 0.5 else (quotes[4], quotes[5])
    return line[: opening + 1 + int(where * (closing - opening - 1))] + b"\n"
