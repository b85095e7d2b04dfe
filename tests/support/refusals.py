"""How a command refuses: one line on stderr, nothing on stdout, and an exit code."""

from support.commands import Ran


def assert_refused(ran: Ran, code: int, *words: str) -> None:
    """Assert that the command exited with ``code`` and wrote one line to stderr that contains all ``words``.

    The line may be followed by the text that was refused, and by a caret under the place.
    """
    assert ran.code == code, ran
    assert ran.out == ""
    _, *place = ran.err.splitlines()
    assert not place or (len(place) == 2 and set(place[1]) == {" ", "^"}), ran.err
    assert ran.err.startswith("puppylog: ")
    for word in words:
        assert word in ran.err
