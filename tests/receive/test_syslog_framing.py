"""Messages in datagrams and connections: both framings, stray separators, wrong sizes, limits, and any division."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.receive.syslog.framing import Defect, Framer, Messages, split_datagram

messages = st.binary(max_size=30).map(lambda content: b"<13>" + content.rstrip(b"\n\r\0"))
lines = messages.map(lambda text: text.replace(b"\n", b"").replace(b"\0", b"").rstrip(b"\r"))


def count(text: bytes) -> bytes:
    return b"%d %s" % (len(text), text)


def feed_in_pieces(framer: Framer, data: bytes, cuts: list[int]) -> tuple[list[bytes], list[Defect]]:
    """Give the bytes in pieces, then end the connection; return all messages and defects."""
    texts: list[bytes] = []
    defects: list[Defect] = []
    bounds = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parts = [data[start:end] for start, end in pairwise(bounds)]
    for result in [*(framer.feed(part) for part in parts if not framer.fault), framer.finish()]:
        texts += result.texts
        defects += result.defects.values()
    return texts, defects


@given(st.lists(st.tuples(lines, st.booleans()), max_size=8), st.lists(st.integers(0, 300)))
def test_each_message_of_a_connection_is_found_however_its_bytes_are_divided(
    written: list[tuple[bytes, bool]], cuts: list[int]
) -> None:
    data = b"".join(count(text) if is_counted else text + b"\n" for text, is_counted in written)
    assert feed_in_pieces(Framer(), data, cuts) == ([text for text, _ in written], [])


@given(st.lists(messages, max_size=8), st.lists(st.integers(0, 300)))
def test_a_counted_message_may_have_newlines_and_nuls(texts: list[bytes], cuts: list[int]) -> None:
    assert feed_in_pieces(Framer(), b"".join(map(count, texts)), cuts) == (texts, [])


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (b"<13>a\r\n<13>b\r\n", [b"<13>a", b"<13>b"]),
        (b"\n\n<13>a\n\n\n<13>b\n", [b"<13>a", b"<13>b"]),
        (b"6 <13>ab\n6 <13>cd\n", [b"<13>ab", b"<13>cd"]),
        (b"7 <13>ab\n7 <13>cd\n", [b"<13>ab", b"<13>cd"]),
        (b"<13>a\0<13>b\0", [b"<13>a", b"<13>b"]),
        (b"6 <13>ab<13>line\n6 <13>cd", [b"<13>ab", b"<13>line", b"<13>cd"]),
        (b"2026-11-24T10:00:00Z a b: c\n12 apples\n", [b"2026-11-24T10:00:00Z a b: c", b"12 apples"]),
        (b"<13>the sender does not end its last message", [b"<13>the sender does not end its last message"]),
        (b"12", [b"12"]),
    ],
)  # fmt: skip
def test_messages_are_divided_as_devices_write_them(data: bytes, texts: list[bytes]) -> None:
    for cuts in ([], list(range(len(data)))):
        assert feed_in_pieces(Framer(), data, cuts) == (texts, [])


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"4 <13>ab6 <13>cd", "neither a size nor a priority follows a counted message"),
        (b"6 <13>abhello", "neither a size nor a priority follows a counted message"),
        (b"9999999999 <13>", "no message has the size 9999999999"),
        (b"012 <13>", "no message has the size 012"),
    ],
)
def test_a_wrong_size_is_a_fault_and_its_bytes_are_kept(data: bytes, fault: str) -> None:
    framer = Framer()
    result = framer.feed(data)
    assert framer.fault == fault
    assert list(result.defects.values()) == [Defect.LOST_FRAMING]
    assert data.endswith(result.texts[-1])


def test_a_connection_that_breaks_within_a_message_marks_it() -> None:
    for data, is_clean, defects in (
        (b"20 <13>half", True, {0: Defect.INCOMPLETE}),
        (b"<13>half", False, {0: Defect.INCOMPLETE}),
        (b"<13>half", True, {}),
    ):
        framer = Framer()
        assert framer.feed(data) == Messages()
        assert framer.finish(is_clean=is_clean) == Messages([b"<13>half"], defects)


@pytest.mark.parametrize("framing", [count, lambda text: text + b"\n"])
def test_a_message_that_is_too_long_is_cut_and_the_next_one_is_found(framing: object) -> None:
    assert callable(framing)
    data = framing(b"<13>" + b"x" * 5000) + framing(b"<13>next")
    for step in (1, 7, 20000):
        framer, result = Framer(limit_bytes=100), Messages()
        for start in range(0, len(data), step):
            for index, text in enumerate((part := framer.feed(data[start : start + step])).texts):
                result.add(text, part.defects.get(index))
            assert framer.kept_bytes <= 100
        assert result == Messages([b"<13>" + b"x" * 96, b"<13>next"], {0: Defect.CUT})


@pytest.mark.parametrize(
    ("datagram", "texts"),
    [
        (b"<13>one\n", [b"<13>one"]),
        (b"<13>one\0", [b"<13>one"]),
        (b"<13>one\n<14>two\n", [b"<13>one", b"<14>two"]),
        (b"<13>one\0<14>two\0", [b"<13>one", b"<14>two"]),
        (b"<13>a stack\n  of two lines", [b"<13>a stack\n  of two lines"]),
        (b"7 <13>one7 <14>two", [b"<13>one", b"<14>two"]),
        (b"99 <13>a wrong size", [b"<13>a wrong size"]),
        (b"no priority\nat all", [b"no priority\nat all"]),
        (b"\n\0", []),
        (b"", []),
    ],
)
def test_a_datagram_is_one_message_or_several(datagram: bytes, texts: list[bytes]) -> None:
    assert split_datagram(datagram) == texts


@given(st.binary(max_size=300), st.lists(st.integers(0, 300)))
def test_any_bytes_become_messages(data: bytes, cuts: list[int]) -> None:
    texts, _ = feed_in_pieces(Framer(limit_bytes=50), data, cuts)
    assert all(texts)
    assert all(split_datagram(data))
