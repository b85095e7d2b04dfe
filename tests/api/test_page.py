"""The examples in docs/python.md are true."""

import doctest
import re
from pathlib import Path

from api.conftest import LOG

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_every_example_of_the_page_has_the_result_that_the_page_shows(shop: str) -> None:
    del shop  # `connect` finds it in the environment
    blocks = "\n".join(block for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL))
    examples = doctest.DocTestParser().get_doctest(blocks, {}, PAGE.name, str(PAGE), 0)
    assert len(examples.examples) > 15
    results = doctest.DocTestRunner(verbose=False).run(examples)
    assert results.failed == 0


def test_the_log_that_the_page_shows_is_the_one_of_the_examples() -> None:
    assert LOG in TEXT
