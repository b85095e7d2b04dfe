"""How a command refuses: one line on stderr, nothing on stdout, and an exit code."""

from support.commands import Ran


def assert_refused(ran: Ran, code: int, *words: str) -> None:
    """Assert that the command exited with ``code`` and wrote one line to stderr that contains all ``words``."""
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.startswith("puppylog: ")
    for word in words:
        assert word in ran.err
