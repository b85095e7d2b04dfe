"""The native readers compare 64 bytes at once: lines must be read alike wherever they lie in such a block."""

import pytest

from formats.agreement import Outcome, read
from formats.native_builds import WITHOUT_SSE2, build_readers, find_compiler, load_readers
from puppylog.formats import native

_START = b'203.0.113.7 - - [27/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 '
_PLAIN = [(0, "x", 0), (63, "x", 0), (1, "x", 1), (5, "x", 13), (7, "x", 14), (2, "x", 40)]
_WIDE = [(9, "\u00e9", 0), (30, "a\u00e9", 15)]


def make_text(size: int, character: str, quoted: int) -> bytes:
    """Return lines of many sizes, which start and end at every byte of a block.

    Args:
        size: the size in bytes of the first line's user agent.
        character: what the user agents consist of.
        quoted: the number of quoted words after the user agent.
    """
    rest = b' "a \\" word"' * quoted
    agents = [(character * (size + number))[: size + number].encode() for number in range(66)]
    return b"".join(_START + b'5 "-" "' + agent + b'"' + rest + b"\n" for agent in agents)


def read_all(path: str) -> list[Outcome]:
    texts = [make_text(size, character, quoted) for size, character, quoted in (*_PLAIN, *_WIDE)]
    damaged = [text.replace("\u00e9".encode(), b"\xff", 1) for text in texts]
    open_quotes = [text.replace(b"word", b'word"', 1) for text in texts]
    return [read("combined", text, path) for text in (*texts, *damaged, *open_quotes)]


def test_lines_are_read_alike_wherever_they_lie() -> None:
    assert read_all("native") == read_all("python")


def test_lines_are_read_alike_on_a_processor_without_sse2(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("NOT TESTED: the native readers on other processors; there is no C compiler here")
    without = build_readers(compiler, *WITHOUT_SSE2)
    monkeypatch.setattr(native, "lines", load_readers(without))
    assert read_all("native") == read_all("python")
