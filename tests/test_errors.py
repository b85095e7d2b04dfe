"""The tree of errors in the docstring is the tree of classes, and an error consists of four parts."""

import pickle
import re

import pytest

from puppylog import errors
from puppylog.errors import BY_NAME, FormatError, NotFound, PuppylogError, StoreForbidden, StoreRefused

DRAWN = re.compile(r"^ {4}(?P<branch>[│ ├└─]*)(?P<name>[A-Z]\w+) +(?P<code>\d+) .*?(?P<transient>\(transient\))?$")


def read_drawing() -> dict[str, tuple[str, int, bool]]:
    """Return for each error in the docstring's tree its base class, its exit code and whether it is transient."""
    drawn = {}
    above = ["PuppylogError"]
    for line in (errors.__doc__ or "").splitlines():
        if (match := DRAWN.match(line)) and match["branch"]:
            depth = len(match["branch"]) // 4
            above = [*above[:depth], match["name"]]
            drawn[match["name"]] = (above[depth - 1], int(match["code"]), match["transient"] is not None)
    return drawn


def test_the_tree_in_the_docstring_is_the_tree_of_classes() -> None:
    raised = {
        kind.__name__: (kind.__bases__[0].__name__, kind.exit_code, kind.transient)
        for kind in BY_NAME.values()
        if kind is not PuppylogError
    }
    assert read_drawing() == raised


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NotFound("find", "metric 'x'"), "cannot find metric 'x'"),
        (NotFound("find", "metric 'x'", "there is none"), "cannot find metric 'x': there is none"),
        (NotFound("find", "metric 'x'", advice="see the list"), "cannot find metric 'x': see the list"),
        (
            NotFound("find", "metric 'x'", "there is none", "see the list"),
            "cannot find metric 'x': there is none; see the list",
        ),
        (NotFound("distribute", "", "it is old"), "cannot distribute: it is old"),
        (
            FormatError("log format '%q'", "no such directive", written="%q", at=0),
            "cannot read log format '%q': no such directive",
        ),
    ],
)
def test_a_message_is_composed_of_the_parts(error: PuppylogError, message: str) -> None:
    assert (error.message, str(error)) == (message, message)


def test_the_parts_of_an_error_make_an_error_of_another_class() -> None:
    forbidden = StoreForbidden("read", "x", "the role may not", "ask its owner")
    refused = StoreRefused(*forbidden.parts)
    assert (type(refused), refused.message) == (StoreRefused, "cannot read x: the role may not; ask its owner")


def test_an_error_keeps_its_parts_in_another_process() -> None:
    error = pickle.loads(pickle.dumps(StoreForbidden("read", "x", "the role may not", "ask its owner")))  # noqa: S301 - bytes of this test
    assert (type(error), error.parts) == (StoreForbidden, ("read", "x", "the role may not", "ask its owner"))
