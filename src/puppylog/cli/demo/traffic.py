"""Access log lines of the shop, in any number and always the same for one seed: for the demo, the bench and tests.

Lines are generated in blocks, so that a file of any size needs the memory of one block. Garbage can be mixed in; the
generator itself counts the lines of garbage that fit no log format.
"""

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from puppylog.cli.demo.shop import NO_BODY, Visitor, make_shop

# 64 Ki lines are about 13 MB: large enough that the cost per block is negligible, small enough for any machine.
BLOCK_LINES = 65_536

# A visitor sends several requests: the same few thousand hosts appear for some minutes of a log, then others.
REQUESTS_PER_VISIT = 12


@dataclass(frozen=True, slots=True)
class Block:
    data: bytes  # whole lines
    lines: int
    rejects: int  # the number of lines that fit no log format; each other line becomes a record


class Traffic:
    """A generator of lines. Two generators with the same arguments and the same calls return the same bytes."""

    def __init__(self, *, seed: int = 1, garbage_share: float = 0.0) -> None:
        self._random = Random(seed)  # noqa: S311 - it keeps no secret
        self._shop = make_shop(seed)
        self._garbage_share = garbage_share

    def make_block(self, lines: int, since: datetime, until: datetime) -> Block:
        """Return ``lines`` lines with random times in ``[since, until)``, in the order of their times."""
        if not lines:
            return Block(b"", 0, 0)
        texts = self._make_lines(lines, since, until)
        rejects = 0
        if self._garbage_share:
            for place, text in enumerate(texts):
                if self._random.random() < self._garbage_share:
                    texts[place], is_rejected = self._spoil(text)
                    rejects += is_rejected
        return Block(b"".join(texts), lines, rejects)

    def iter_blocks(
        self, lines: int, *, since: datetime, rate_per_s: float, block_lines: int = BLOCK_LINES
    ) -> Iterator[Block]:
        """Yield ``lines`` lines in blocks, with times from ``since`` on at ``rate_per_s`` lines a second."""
        made = 0
        while made < lines:
            count = min(block_lines, lines - made)
            begin, end = (since + timedelta(seconds=n / rate_per_s) for n in (made, made + count))
            yield self.make_block(count, begin, end)
            made += count

    def _make_lines(self, lines: int, since: datetime, until: datetime) -> list[bytes]:
        draw, shop = self._random.random, self._shop
        requests = self._random.choices(shop.requests, cum_weights=shop.request_shares, k=lines)
        referers = self._random.choices(shop.referers, cum_weights=shop.referer_shares, k=lines)
        texts = []
        for visitor, stamp, request, referer in zip(
            self._choose_visitors(lines), self._make_stamps(lines, since, until), requests, referers, strict=True
        ):
            protocol = visitor.protocol if request.has_protocol else b""
            source = referer if draw() < request.referred else b"-"
            status = request.statuses[bisect(request.status_shares, draw())]
            size = b"-" if status in NO_BODY else b"%d" % self._draw_size(request.size_bytes, request.size_spread)
            parts = (visitor.prefix, stamp, request.text, protocol, status, size, source, visitor.agent)
            texts.append(b'%b%b] "%b%b" %d %b "%b" "%b"\n' % parts)
        return texts

    def _choose_visitors(self, lines: int) -> Sequence[Visitor]:
        """Return the visitor of each line: a few visitors, each with about the same number of lines."""
        count = 1 + lines // REQUESTS_PER_VISIT
        visits = self._random.choices(self._shop.visitors, cum_weights=self._shop.visitor_shares, k=count)
        return self._random.choices(visits, k=lines)

    def _make_stamps(self, lines: int, since: datetime, until: datetime) -> Iterator[bytes]:
        """Yield the time of each line as an access log writes it, in order."""
        start, length_s = math.floor(since.timestamp()), until.timestamp() - since.timestamp()
        fraction_s = since.timestamp() - start
        written_second, stamp = -1, b""
        for moment in sorted(self._random.random() for _ in range(lines)):
            second = math.floor(moment * length_s + fraction_s)
            if second != written_second:
                written_second = second
                stamp = f"{datetime.fromtimestamp(start + second, UTC):%d/%b/%Y:%H:%M:%S %z}".encode()
            yield stamp

    def _draw_size(self, median_bytes: float, spread: float) -> int:
        return round(median_bytes * math.exp(spread * self._random.gauss(0.0, 1.0)) if spread else median_bytes)

    def _spoil(self, line: bytes) -> tuple[bytes, bool]:
        """Return a line of garbage instead of ``line``, and whether it fits no log format."""
        match self._random.randrange(4):
            case 0:
                return _with_tls_hello(line), False
            case 1:
                return _cut(line, self._random.random()), True
            case 2:
                return bytes(self._random.choices(range(128, 256), k=self._random.randrange(8, 200))) + b"\n", True
        return b"AH00558: httpd: could not reliably determine the server's name\n", True


def _with_tls_hello(line: bytes) -> bytes:
    """Return the line that a server logs for a TLS hello on its plain port, which fits the format."""
    prefix, _, _ = line.partition(b'"')
    return prefix + rb'"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03" 400 226 "-" "-"' + b"\n"


def _cut(line: bytes, where: float) -> bytes:
    """Return the line as a full disk cuts it: within a quoted field, so that it fits no shorter format either."""
    quotes = [at for at, byte in enumerate(line) if byte == ord('"')]
    opening, closing = (quotes[0], quotes[1]) if where < 0.5 else (quotes[4], quotes[5])
    return line[: opening + 1 + int(where * (closing - opening - 1))] + b"\n"
