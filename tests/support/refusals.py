"""How a command says no: one line on stderr, nothing on stdout, and its exit code."""

from support.commands import Ran


def assert_refused(ran: Ran, code: int, *words: str) -> None:
    """Check that it said no in one line, with all of these words in it."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("puppylog: ")
    for word in words:
        assert word in ran.err
