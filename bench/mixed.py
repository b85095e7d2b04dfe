"""Parsing a mixed corpus, one format after another, on one core. It runs in a process of its own.

Each format gets the same number of lines, made from a template with changing times, levels and numbers. The figures are
of CPU seconds, so that other processes have no influence. The lines of a stack trace count as lines, too.
"""

import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from bench.processes import BenchBroken, Stopwatch, run_json
from bench.report import Figure, Target, single
from puppylog.formats.registry import find_format
from puppylog.tail.limits import CHUNK_BYTES

_SEED: Final = 20
_FIRST: Final = datetime(2026, 11, 24, 10, tzinfo=UTC)
_NATIVE: Final = Target(at_least=1_000_000)
_FILE: Final = Target(at_least=100_000)
_WORDS: Final = (
    *("request", "accepted", "connection", "closed", "timeout", "while", "reading", "cart", "order", "payment", "user"),
    *("cache", "miss", "retry", "upstream", "session", "expired", "worker", "started", "queue", "drained", "index"),
)

WriteLines: TypeAlias = Callable[[datetime, random.Random, str], str]
"""A function that returns the lines of one record, without the last newline: of a time, with numbers, and a message."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Lines of one format."""

    write: WriteLines
    is_native: bool = True  # a reader in C reads the format; otherwise a format file describes it


def _app(at: datetime, numbers: random.Random, text: str) -> str:
    level = numbers.choice(("INFO", "INFO", "INFO", "DEBUG", "WARN", "ERROR"))
    head = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} {level} [worker-{numbers.randrange(16)}] "
    trace = "\n\tat org.example.Cart.add(Cart.java:71)\n\tat org.example.Shop.run(Shop.java:12)"
    return f"{head}org.example.shop.Cart - {text}{trace if level == 'ERROR' else ''}"


def _klog(at: datetime, numbers: random.Random, text: str) -> str:
    letter = numbers.choice("IIIWE")
    return f"{letter}{at:%m%d %H:%M:%S.%f} {numbers.randrange(9000):7} controller.go:{numbers.randrange(900)}] {text}"


def _apache_error(at: datetime, numbers: random.Random, text: str) -> str:
    pid, port = numbers.randrange(30000), numbers.randrange(60000)
    head = f"[{at:%a %b %d %H:%M:%S.%f %Y}] [core:{numbers.choice(('error', 'notice', 'warn'))}] [pid {pid}:tid {pid}]"
    return f"{head} [client 192.0.2.{port % 250}:{port}] AH00035: {text}"


def _nginx_error(at: datetime, numbers: random.Random, text: str) -> str:
    pid = numbers.randrange(30000)
    head = (
        f"{at:%Y/%m/%d %H:%M:%S} [{numbers.choice(('error', 'warn', 'crit'))}] {pid}#{pid}: *{numbers.randrange(10**6)}"
    )
    request = f'request: "GET /item/{numbers.randrange(900)} HTTP/1.1", host: "shop.example.org"'
    return f"{head} {text}, client: 192.0.2.{pid % 250}, server: shop.example.org, {request}"


def _postgresql(at: datetime, numbers: random.Random, text: str) -> str:
    head = f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} UTC [{numbers.randrange(30000)}] ann@shop "
    if numbers.randrange(4):
        return f"{head}LOG:  duration: {numbers.random() * 90:.3f} ms  statement: SELECT {text}"
    return f"{head}ERROR:  {text}\n{head}STATEMENT:  SELECT {numbers.randrange(900)}"


def _json(at: datetime, numbers: random.Random, text: str) -> str:
    level = numbers.choice(("info", "debug", "warn", "error"))
    return f'{{"time":"{at.isoformat()}","level":"{level}","msg":"{text}","order":{numbers.randrange(10**6)},"ms":1.5}}'


def _logfmt(at: datetime, numbers: random.Random, text: str) -> str:
    level = numbers.choice(("info", "debug", "warn", "error"))
    return f'ts={at.isoformat()} level={level} msg="{text}" order={numbers.randrange(10**6)} ms=1.5'


def _cri(at: datetime, numbers: random.Random, text: str) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}123Z stdout F {_json(at, numbers, text)}"


def _haproxy(at: datetime, numbers: random.Random, text: str) -> str:  # noqa: ARG001 - every writer takes a message
    port, times = numbers.randrange(60000), "/".join(str(numbers.randrange(90)) for _ in range(5))
    head = f"192.0.2.{port % 250}:{port} [{at:%d/%b/%Y:%H:%M:%S}.{at.microsecond // 1000:03}] web app/app1 {times}"
    size = numbers.randrange(9000)
    return f'{head} {numbers.choice((200, 404, 503))} {size} - - ---- 1/1/0/0/0 0/0 "GET /cart HTTP/1.1"'


def _redis(at: datetime, numbers: random.Random, text: str) -> str:
    stamp = f"{at:%d %b %Y %H:%M:%S}.{at.microsecond // 1000:03}"
    return f"{numbers.randrange(30000)}:M {stamp} {numbers.choice('*#-')} {text}"


CORPORA: Final[Mapping[str, Corpus]] = {
    "app": Corpus(_app),
    "klog": Corpus(_klog),
    "apache_error": Corpus(_apache_error),
    "nginx_error": Corpus(_nginx_error),
    "postgresql": Corpus(_postgresql),
    "json": Corpus(_json),
    "logfmt": Corpus(_logfmt),
    "cri": Corpus(_cri),
    "haproxy": Corpus(_haproxy),
    "redis": Corpus(_redis, is_native=False),
}
"""The corpora by the name of their format."""


def measure_mixed(lines: int) -> list[Figure]:
    """Parse about ``lines`` lines, the same number in each format, and return the lines per CPU second of each."""
    result = run_json("bench.mixed", str(lines // len(CORPORA)))
    figures = []
    for name, corpus in CORPORA.items():
        per_cpu_s = result[f"{name}_lines"] / result[f"{name}_s"]
        figures.append(single(f"parsing {name}", per_cpu_s, "lines/s", _NATIVE if corpus.is_native else _FILE))
    all_lines, all_s = (sum(result[f"{name}_{what}"] for name in CORPORA) for what in ("lines", "s"))
    return [*figures, single("parsing the mixed corpus, lines per CPU second", all_lines / all_s, "lines/s")]


def main() -> None:
    """Run as ``python -m bench.mixed LINES``; print the lines and CPU seconds of each format as JSON."""
    lines = int(sys.argv[1])
    result: dict[str, float] = {}
    for name, corpus in CORPORA.items():
        pieces = list(_iter_pieces(corpus.write, lines))
        parser = find_format(name).open()
        parser.parse(pieces[0], 0, 0)  # work that is done once is not measured
        watch, offset, records = Stopwatch(), 0, 0
        for piece in pieces:
            parsed = parser.parse(piece, offset, 0)
            offset += len(piece)
            records += parsed.records.num_rows
            if parsed.rejects.num_rows:
                raise BenchBroken(f"{name} rejects {parsed.rejects['line'][0]}")
        result |= {f"{name}_lines": sum(piece.count(b"\n") for piece in pieces), f"{name}_s": watch.read()["cpu_s"]}
    sys.stdout.write(json.dumps(result))


def _iter_pieces(write: WriteLines, lines: int) -> Iterator[bytes]:
    """Yield at least ``lines`` lines in pieces as large as a collector's; a record is never divided."""
    numbers = random.Random(_SEED)
    texts = [" ".join(numbers.choices(_WORDS, k=8)) for _ in range(500)]
    at, written, size = _FIRST, 0, 0
    piece: list[str] = []
    while written < lines:
        record = write(at, numbers, numbers.choice(texts))
        at += timedelta(microseconds=numbers.randrange(5000))
        piece.append(record)
        written += record.count("\n") + 1
        size += len(record) + 1
        if size >= CHUNK_BYTES:
            yield ("\n".join(piece) + "\n").encode()
            piece, size = [], 0
    if piece:
        yield ("\n".join(piece) + "\n").encode()


if __name__ == "__main__":
    main()
