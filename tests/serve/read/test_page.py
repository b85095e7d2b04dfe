"""What ``docs/api.md`` says is so: its resources exist, and its examples are answered."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from support.interface_page import PAGE, with_list
from support.read_interface import get
from support.served import Served

CURL = shutil.which("curl")
TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\$ (curl .*)$", TEXT, re.MULTILINE)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("page")) as served:
        line = b'1.2.3.4 - - [01/Mar/2026:10:00:00 +0000] "GET /shop HTTP/1.1" 503 5 "-" "-"\n'
        assert served.send("POST", "/api/v1/lines?source=web&format=combined", line).status == 200
        yield served


def test_the_page_lists_the_resources_that_are_declared() -> None:
    """If this fails, run ``PYTHONPATH=tests python -m support.interface_page``."""
    assert with_list(TEXT) == TEXT


@pytest.mark.skipif(CURL is None, reason="NOT TESTED: the examples of docs/api.md; there is no curl")
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_page_is_answered(served: Served, example: str) -> None:
    words = shlex.split(example.replace("http://127.0.0.1:7380", served.url))
    done = subprocess.run([str(CURL), "-sS", "-i", *words[1:]], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("HTTP/1.1 200"), done.stdout


def test_the_error_of_the_page_is_that_of_the_server(served: Served) -> None:
    shown = json.loads(TEXT.split("```json\n")[1].split("```")[0])["error"]
    got = get(served, "records", status=400, q="status:500")["error"]
    assert got == shown
