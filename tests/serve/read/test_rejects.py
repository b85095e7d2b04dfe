"""``/api/v1/rejects``: rejected lines, their reasons, and replay."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from support.read_interface import ask, get
from support.served import Served

GOOD = b'{"message": "fits"}\n'
ACCESS = b'10.0.0.1 - - [01/Mar/2026:10:00:00 +0000] "GET /cart HTTP/1.1" 200 5\n'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A store with nine rejected lines, which no test changes."""
    with open_store(tmp_path_factory) as served:
        yield served


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same for one test."""
    with open_store(tmp_path_factory) as served:
        yield served


@contextmanager
def open_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("rejects")) as served:
        post(served, "shop", GOOD + b'{"message": "cut off\n' + ACCESS * 5 + b"\xff<script>alert(1)</script>\n", "web")
        post(served, "other", b"no json: " + b"x" * 100_000 + b"\n" + b"no json\n", "jobs")
        yield served


def post(served: Served, source: str, body: bytes, group: str) -> None:
    assert served.send("POST", f"/api/v1/lines?source={source}&format=json&group={group}", body).status == 200


def test_rejected_lines_come_with_their_place_and_where_they_stop_to_fit(served: Served) -> None:
    found = get(served, "rejects", q="line:*cut*", group="web")
    [line] = found["lines"]
    assert (line["line"], line["source"], line["file"]) == ('{"message": "cut off', "lines:///shop", "lines:///shop")
    assert line["reason"]
    assert line["column"] is not None
    assert 0 < line["column"] <= len(line["line"])
    assert (line["line_offset"], line["is_cut"]) == (len(GOOD), False)
    assert (found["has_more"], found["cursor"] is None) == (False, False)


def test_a_long_line_is_cut_and_bytes_that_are_not_text_are_replaced(served: Served) -> None:
    lines = {line["line"][:9]: line for line in get(served, "rejects")["lines"]}
    assert (len(lines["no json: "]["line"]), lines["no json: "]["is_cut"]) == (8192, True)
    assert "\ufffd<script>" in lines


def test_pages_repeat_and_lose_no_line(served: Served) -> None:
    seen: list[tuple[int, int]] = []
    after: dict[str, Any] = {}
    while True:
        page = get(served, "rejects", limit=2, **after)
        seen += [(line["file_id"], line["line_offset"]) for line in page["lines"]]
        after = {"cursor": page["cursor"]}
        if not page["has_more"]:
            break
    assert len(seen) == len({*seen}) == 9
    assert get(served, "rejects", **after)["lines"] == []


def test_the_reasons_of_rejected_lines_are_counted_with_an_example(served: Served) -> None:
    found = get(served, "rejects/reasons")
    assert found["lines"] == 9
    assert sum(reason["lines"] for reason in found["reasons"]) == 9
    most = found["reasons"][0]
    assert most["lines"] == max(reason["lines"] for reason in found["reasons"])
    assert most["example"]["reason"] == most["reason"]
    assert most["first_at"] <= most["last_at"]
    assert get(served, "rejects/reasons", limit=1)["left_out"] == len(found["reasons"]) - 1
    assert get(served, "rejects/reasons", reason=most["reason"].upper())["lines"] >= most["lines"]
    assert get(served, "rejects/reasons", source="*other", since="1h")["lines"] == 2
    assert get(served, "rejects/reasons", until="1h")["reasons"] == []


@pytest.mark.parametrize(
    ("path", "parameters", "place"),
    [
        ("rejects", {"q": "status_code:500"}, "q"),
        ("rejects", {"source": "/none"}, "source"),
        ("rejects", {"group": "none"}, "group"),
        ("rejects", {"limit": 5000}, "limit"),
        ("rejects", {"cursor": "x"}, "cursor"),
        ("rejects", {"cursor": "9999-99-99T00:00:00+00:00~1~1~1"}, "cursor"),
        ("rejects/reasons", {"since": "never"}, "since"),
        ("rejects/reasons", {"cursor": "x"}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(served: Served, path: str, parameters: dict[str, Any], place: str) -> None:
    assert get(served, path, status=400, **parameters)["error"]["place"] == place


def test_a_replay_can_be_tried_and_makes_each_line_a_record_once(own: Served) -> None:
    body = {"format": "combined", "source": "*shop", "is_dry": True}
    tried = ask(own, "POST", "rejects/replay", {**body, "format": "access"})
    assert (tried["lines"], tried["became_records"], tried["still_rejected"]) == (7, 5, 2)
    assert sum(reason["lines"] for reason in tried["reasons"]) == 2
    assert get(own, "rejects/reasons")["lines"] == 9
    done = ask(own, "POST", "rejects/replay", {**body, "format": "access", "is_dry": False})
    assert (done["became_records"], done["still_rejected"], done["already_records"]) == (5, 2, 0)
    assert len(get(own, "records", q="request_route:/cart")["records"]) == 5
    again = ask(own, "POST", "rejects/replay", {**body, "format": "access", "is_dry": False})
    assert (again["lines"], again["became_records"]) == (2, 0)


def test_a_replay_without_a_format_takes_that_of_each_stream(own: Served) -> None:
    tried = ask(own, "POST", "rejects/replay", {"group": "jobs", "q": "line:no*"})
    assert (tried["lines"], tried["became_records"], tried["still_rejected"]) == (2, 0, 2)


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        (None, "body", "cannot read the body"),
        ({"format": "no such format"}, "format", "cannot "),
        ({"format": "(?P<message>(a+)+)$"}, "format", "a regular expression can be used on the command line only"),
        ({"q": "(", "format": "json"}, "q", "cannot "),
        ({"source": "/none", "format": "json"}, "source", "cannot find source '/none'"),
        ({"is_dry": "yes", "format": "json"}, "body", "cannot read the body"),
        ({"colour": "red"}, "body", "cannot read the body"),
    ],
)
def test_a_wrong_replay_is_refused(served: Served, body: object, place: str, message: str) -> None:
    error = ask(served, "POST", "rejects/replay", body, status=400)["error"]
    assert error["place"] == place
    assert error["message"].startswith(message)


def test_a_page_of_another_site_cannot_replay(served: Served) -> None:
    ask(served, "POST", "rejects/replay", {"format": "plain"}, status=403, origin="https://evil.example")
    assert json.loads(served.send("GET", "/api/v1/rejects/replay").body)["error"]["message"].startswith("/api/v1/")
