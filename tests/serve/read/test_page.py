"""What ``docs/api.md`` says is so: its resources exist, and its examples are answered."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
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
        with served.own.connect() as store:
            metric = Metric("errors_by_host", "count", "*", 1, segment="host")
            store.create_metric(metric)
            rule: Any = {"comparison": Comparison.ABOVE, "threshold": 1, "window_s": 60, "each_segment": True}
            store.create_alert(define_alert("errors", metric, **rule))
        yield served


def test_the_page_lists_the_resources_that_are_declared() -> None:
    """If this fails, run ``PYTHONPATH=tests python -m support.interface_page``."""
    assert with_list(TEXT) == TEXT


@pytest.mark.skipif(CURL is None, reason="NOT TESTED: the examples of docs/api.md; there is no curl")
def test_the_examples_of_the_page_are_answered_in_their_order(served: Served) -> None:
    assert EXAMPLES
    for example in EXAMPLES:
        words = shlex.split(example.replace("http://127.0.0.1:7380", served.url))
        with subprocess.Popen([str(CURL), "-sS", "-i", "-m", "60", *words[1:]], stdout=subprocess.PIPE) as curl:
            assert curl.stdout is not None
            status = curl.stdout.readline()  # not all of the answer: that of a tail has no end
            curl.terminate()
        expected = b"409" if "/acknowledge" in example else b"20"  # an alert that does not fire needs no person
        assert status.startswith(b"HTTP/1.1 " + expected), (example, status)


def test_the_error_of_the_page_is_that_of_the_server(served: Served) -> None:
    shown = json.loads(TEXT.split("```json\n")[1].split("```")[0])["error"]
    got = get(served, "records", status=400, q="status:500")["error"]
    assert got == shown
