import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import pytest

from support.embedded import EmbeddedStore
from support.inprocess import InProcess
from support.lines import NOON, Source, rejects, rows

ROUTES = ("/shop/1", "/blog/", "/shop/2", "/")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    """A store with 120 records in one group, one a second from NOON on, every tenth with status 500, and one reject."""
    with EmbeddedStore(tmp_path_factory.mktemp("server") / "store") as server:
        source = Source(server.connect(), group="shop")
        values = [
            {
                "ts": NOON + timedelta(seconds=second),
                "host": f"10.0.0.{second % 3}",
                "request_method": "GET",
                "request_route": ROUTES[second % 4],
                "status_code": 500 if second % 10 == 0 else 200,
                "response_bytes": second,
                "user_agent": "\x1b[2J",
                "attributes": '{"zone": "a"}',
            }
            for second in range(120)
        ]
        source.append(rows(values))
        source.append(rejects(b"\x16\x03", start=source.offset))
        yield server


@pytest.fixture
def cli(
    server: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> InProcess:
    """Runs commands on the store of ``server``, without other settings."""
    for name in [name for name in os.environ if name.startswith(("PUPPYLOG_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PUPPYLOG_STORE", server.url)
    return InProcess(capsys)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that a person was asked at a terminal; the person says no to each."""
    questions: list[str] = []

    def say_no(question: str, **_: object) -> None:
        questions.append(question)
        raise click.Abort

    monkeypatch.setattr("puppylog.cli.claiming.is_asked", lambda: True)
    monkeypatch.setattr(click, "confirm", say_no)
    return questions
