"""What a receiver decodes: the counts of a request, and the problems in one line."""

from puppylog.formats.registry import find_format
from puppylog.receive.received import NotDecoded, Problem, Received, ReceivedLines, shorten_problems

TEXT = b'{"message": "one"}\n{"message": "two"}\nno object\n'


def receive(text: bytes) -> Received:
    parsed = find_format("json").open().parse(text, 0, 0)
    return Received((ReceivedLines("web", None, parsed, len(text)),))


def test_a_request_counts_its_records_and_rejected_lines_over_all_sources() -> None:
    one = receive(TEXT)
    both = Received(one.lines + receive(TEXT).lines)
    assert (one.records, one.rejects) == (2, 1)
    assert (both.records, both.rejects) == (4, 2)
    assert both.size_bytes == 2 * one.size_bytes > 0


def test_only_the_first_problems_are_shown_and_the_others_are_counted() -> None:
    problems = [Problem(f"line {number}", "no JSON") for number in range(1, 9)]
    assert shorten_problems(problems, 2) == "line 1: no JSON; line 2: no JSON; and 6 more"
    assert shorten_problems(problems[:2], 2) == "line 1: no JSON; line 2: no JSON"


def test_a_request_that_cannot_be_decoded_says_where() -> None:
    assert str(NotDecoded("byte 12", "not a JSON value")) == "byte 12: not a JSON value"
    assert str(NotDecoded("", "not gzip")) == "not gzip"
