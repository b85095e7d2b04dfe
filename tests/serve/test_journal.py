"""Entries that systemd-journal-upload sends: stored while the request runs, and once."""

import gzip
import itertools
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from puppylog.serve.endpoints import journal as endpoint
from support.embedded import wait_until
from support.journals import Journal, make_cursor, make_entry, needs_journals
from support.served import Answer, Served

UPLOAD = shutil.which("systemd-journal-upload", path="/lib/systemd:/usr/lib/systemd")
HEADERS = {"Content-Type": "application/vnd.fdo.journal"}
_hosts = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("journal")) as served:
        yield served


@pytest.fixture
def host() -> str:
    """Return the name of a machine that no other test has."""
    return f"host{next(_hosts)}"


def entries(host: str, *numbers: int) -> bytes:
    return b"".join(make_entry(number, cursor=make_cursor(number), _HOSTNAME=host) for number in numbers)


def upload(served: Served, body: bytes | Iterator[bytes], **headers: str) -> Answer:
    return served.send("POST", "/upload", body, {**HEADERS, **headers})


def numbers(served: Served, host: str) -> list[int]:
    rows = served.query(
        "SELECT message FROM puppylog.log_records AS records"
        " JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id"
        f" WHERE source_uri = 'journal-upload:///{host}' ORDER BY line_offset"
    )
    return [int(row["message"].removeprefix("number ")) for row in rows]


def test_entries_are_stored_with_the_machine_that_wrote_them(served: Served, host: str) -> None:
    answer = upload(served, entries(host, 0, 1, 2) + entries(f"{host}b", 3))
    assert (answer.status, answer.text) == (202, "OK.\n")
    assert (numbers(served, host), numbers(served, f"{host}b")) == ([0, 1, 2], [3])


def test_entries_that_come_again_are_stored_once_also_by_another_server(served: Served, host: str) -> None:
    assert upload(served, entries(host, 0, 1)).status == 202
    assert upload(served, entries(host, 0, 1, 2)).status == 202
    served.server.close()
    served.start()
    assert upload(served, entries(host, 1, 2, 3)).status == 202
    assert numbers(served, host) == [0, 1, 2, 3]


def test_entries_are_stored_while_the_request_still_runs(served: Served, host: str) -> None:
    go_on = threading.Event()

    def body() -> Iterator[bytes]:
        yield entries(host, 0) + entries(host, 1)[:50]
        assert go_on.wait(30)
        yield entries(host, 1)[50:]

    answers: list[Answer] = []
    sending = threading.Thread(target=lambda: answers.append(upload(served, body())))
    sending.start()
    try:
        wait_until(lambda: numbers(served, host) == [0], what="the first entry")
    finally:
        go_on.set()
        sending.join()
    assert [answer.status for answer in answers] == [202]
    assert numbers(served, host) == [0, 1]


def test_two_requests_of_one_machine_at_the_same_time_store_each_entry_once(served: Served, host: str) -> None:
    body = entries(host, *range(3000))
    sending = [threading.Thread(target=upload, args=(served, body)) for _ in range(4)]
    for thread in sending:
        thread.start()
    for thread in sending:
        thread.join()
    assert numbers(served, host) == list(range(3000))


def test_the_entries_before_a_fault_are_stored_and_the_answer_has_its_place(served: Served, host: str) -> None:
    before = entries(host, 0, 1)
    answer = upload(served, before + b"=no name\n\n")
    assert (answer.status, answer.text) == (400, f"byte {len(before) + 9}: a field has no name\n")
    assert numbers(served, host) == [0, 1]
    answer = upload(served, entries(host, 2) + b"MESSAGE=unfinished")
    assert (answer.status, answer.text) == (400, "the body ends within an entry\n")
    assert numbers(served, host) == [0, 1, 2]


def test_the_entries_of_a_sender_that_leaves_are_stored(served: Served, host: str) -> None:
    head = "POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/vnd.fdo.journal\r\n"
    body = entries(host, 0, 1)
    part = f"{len(body):x}\r\n".encode() + body + b"\r\n"

    def are_stored() -> bool:
        with served.connect() as connected:  # a busy server may see the end of the connection first, and nothing else
            connected.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + part)
        return numbers(served, host) == [0, 1]

    wait_until(are_stored, what="the entries")


def test_a_body_may_be_compressed(served: Served, host: str) -> None:
    body = gzip.compress(entries(host, *range(100)))
    assert upload(served, body, **{"Content-Encoding": "gzip"}).status == 202
    assert numbers(served, host) == list(range(100))
    answer = upload(served, b"no gzip", **{"Content-Encoding": "gzip"})
    assert (answer.status, "cannot be decompressed" in answer.text) == (400, True)


def test_another_type_of_body_is_refused(served: Served) -> None:
    assert served.send("POST", "/upload", b"{}", {"Content-Type": "application/json"}).status == 415


def test_a_sender_that_is_silent_is_refused(served: Served, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "_PAUSE_S", 0.2)
    silence = threading.Event()

    def body() -> Iterator[bytes]:
        yield entries(host, 0)
        silence.wait(2)

    try:
        answer = upload(served, body())
    except ConnectionError:
        answer = Answer(503, {}, b"")  # the answer was sent before the end of the body
    silence.set()
    assert answer.status == 503
    assert numbers(served, host) == [0]


@pytest.fixture
def run_upload(served: Served, tmp_path: Path) -> Callable[[Journal], int]:
    def run(journal: Journal) -> int:
        assert UPLOAD is not None
        command = [UPLOAD, f"--url={served.url}", f"--directory={journal.directory}", "--follow=no"]
        return subprocess.run(
            [*command, f"--save-state={tmp_path}/state"], capture_output=True, timeout=60, check=False
        ).returncode

    return run


@needs_journals
@pytest.mark.skipif(UPLOAD is None, reason="NOT TESTED: needs systemd-journal-upload (Debian: systemd-journal-remote)")
def test_systemd_journal_upload_sends_every_entry_once(
    served: Served, tmp_path: Path, run_upload: Callable[[Journal], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_BLOCK_BYTES", 20_000)
    journal = Journal(tmp_path / "journal")
    journal.write(500)
    assert run_upload(journal) == 0
    journal.write(100, boot="1" * 32)
    assert run_upload(journal) == 0
    (tmp_path / "state").unlink()  # the sender starts again from its first entry
    journal.write(100, boot="2" * 32)
    assert run_upload(journal) == 0
    assert numbers(served, "web1") == list(range(700))
