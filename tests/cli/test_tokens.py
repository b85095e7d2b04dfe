import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from puppylog.model.token import hash_token, is_token, make_token
from support.embedded import EmbeddedStore
from support.inprocess import InProcess


@pytest.fixture(autouse=True)
def no_tokens(server: EmbeddedStore) -> Iterator[None]:
    """Revoke what a test leaves, so that the next one can use its names."""
    yield
    store = server.connect()
    for token in store.list_tokens():
        store.revoke_token(token.name)


def listed(cli: InProcess) -> dict[str, dict[str, str | None]]:
    return {row["name"]: row for row in json.loads(cli("tokens", "list", "-o", "json").out)}


def test_a_token_is_printed_once_and_only_its_hash_is_stored(cli: InProcess, server: EmbeddedStore) -> None:
    created = cli("tokens", "create", "web1", "--scope", "ingest")
    token = created.out.strip()
    assert (created.code, created.out, is_token(token)) == (0, f"{token}\n", True)
    assert created.err == "puppylog: created token web1; it is shown only once\n"
    assert list(server.connect().find_tokens([hash_token(token)])) == [hash_token(token)]
    for shown in (cli("tokens", "list"), cli("tokens", "list", "-o", "json"), cli("config", "show"), cli("export")):
        assert token not in shown.out + shown.err
        assert hash_token(token) not in shown.out + shown.err
    for path in server.directory.path.iterdir():
        if path.is_file():
            assert token.encode() not in path.read_bytes()


def test_a_token_is_listed_with_its_scope_and_its_state(cli: InProcess) -> None:
    cli("tokens", "create", "forever", "--scope", "admin")
    before = datetime.fromisoformat(str(listed(cli)["forever"]["created_at"]))
    cli("tokens", "create", "grafana", "--scope", "read", "--expires", "90d")
    row = listed(cli)["grafana"]
    assert (row["scope"], row["state"], row["used_at"], row["revoked_at"]) == ("read", "accepted", None, None)
    lasts = datetime.fromisoformat(str(row["expires_at"])) - before
    assert abs(lasts - timedelta(days=90)) < timedelta(minutes=1)
    assert (listed(cli)["forever"]["scope"], listed(cli)["forever"]["expires_at"]) == ("admin", None)
    later = cli.at(before + timedelta(days=91))
    assert {name: row["state"] for name, row in listed(later).items() if name in {"forever", "grafana"}} == {
        "forever": "accepted",
        "grafana": "expired",
    }
    header, *rows = cli.wide(60)("tokens", "list").out.splitlines()
    assert header.split() == ["name", "scope", "state", "created", "expires"]
    assert [row.split()[:3] for row in rows if row.startswith("grafana")] == [["grafana", "read", "accepted"]]
    assert cli("tokens", "list", "-o", "csv").out.startswith(
        "name,scope,state,created_at,expires_at,used_at,revoked_at\n"
    )
    assert len(cli("tokens", "list", "-o", "jsonl").out.splitlines()) == len(rows)


def test_a_token_is_revoked_once_and_its_name_can_be_used_again(cli: InProcess) -> None:
    first = cli("tokens", "create", "web1", "--scope", "ingest").out.strip()
    taken = cli("tokens", "create", "web1", "--scope", "ingest")
    assert (taken.code, taken.out) == (2, "")
    assert taken.err == "puppylog: cannot create token 'web1': the name is taken; revoke that token first\n"
    assert cli("tokens", "revoke", "web1").err == "puppylog: revoked token web1\n"
    assert listed(cli)["web1"]["state"] == "revoked"
    assert cli("tokens", "revoke", "web1").err == "puppylog: token web1 is already revoked\n"
    assert cli("tokens", "create", "web1", "--scope", "read").out.strip() != first
    assert listed(cli)["web1"]["state"] == "accepted"
    gone = cli("tokens", "revoke", "web2")
    assert (gone.code, gone.err) == (2, "puppylog: cannot find token 'web2': there is none of that name\n")


def test_a_token_that_was_found_is_revoked_by_itself_and_not_repeated(cli: InProcess) -> None:
    token = cli("tokens", "create", "web1", "--scope", "ingest").out.strip()
    assert cli("tokens", "revoke", token).err == "puppylog: revoked token web1\n"
    unknown = cli("tokens", "revoke", "ppl_" + "a" * 43)
    assert (unknown.code, unknown.err) == (2, "puppylog: cannot find this token: the store does not have it\n")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "ä", "x" * 101, "\x1b[2J", "\udcff", "ppl_" + "a" * 43])
def test_a_wrong_name_creates_no_token(cli: InProcess, name: str) -> None:
    before = listed(cli)
    for command in (("create", "--scope", "read"), ("revoke",)):
        refused = cli("tokens", *command, "--", name)
        assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
        assert "ppl_aaa" not in refused.err
    assert listed(cli) == before


@pytest.mark.parametrize("arguments", [[], ["--scope", "write"], ["--scope", "read", "--expires", "soon"]])
def test_a_scope_is_needed_and_a_time_must_be_one(cli: InProcess, arguments: list[str]) -> None:
    refused = cli("tokens", "create", "web9", *arguments)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "web9" not in listed(cli)


def test_a_program_gets_the_token_with_its_name(cli: InProcess) -> None:
    created = cli("tokens", "create", "web1", "--scope", "ingest", "--expires", "1d", "-o", "json", "-q")
    [row] = json.loads(created.out)
    assert is_token(row["token"])
    assert (row["name"], row["scope"], created.err) == ("web1", "ingest", "")


def test_on_a_terminal_the_token_stands_on_a_line_of_its_own(cli: InProcess) -> None:
    del cli  # it sets the environment
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "puppylog", "tokens", "create", "web1", "--scope", "ingest"]
    try:
        ran = subprocess.run(command, stdout=theirs, stderr=theirs, env=dict(os.environ), check=False, timeout=60)
        shown = os.read(ours, 10_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)
    assert ran.returncode == 0
    lines = shown.replace("\r", "").splitlines()
    assert is_token(lines[0])
    assert lines[1:] == ["puppylog: created token web1; it is shown only once"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_token_that_could_not_be_written_is_revoked(cli: InProcess) -> None:
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "puppylog", "tokens", "create", "lost", "--scope", "admin"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (1, "puppylog: cannot write the output: No space left on device\n")
    assert listed(cli)["lost"]["state"] == "revoked"


def test_without_tokens_the_list_says_how_to_create_one(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with EmbeddedStore(tmp_path / "empty") as empty:
        monkeypatch.setenv("PUPPYLOG_STORE", empty.url)
        assert cli("tokens", "list").err == (
            "puppylog: no tokens yet; create one: puppylog tokens create NAME --scope ingest\n"
        )


def test_a_token_of_a_file_is_accepted_without_being_shown(
    cli: InProcess, server: EmbeddedStore, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    token = make_token()
    secret.write_text(f"{token}\n", encoding="ascii")
    create = ("tokens", "create", "node", "--scope", "ingest", "--token-file", str(secret))
    for words in ("is accepted", "is already accepted"):  # a deployment runs the command again and again
        result = cli(*create)
        assert (result.code, result.out, result.err) == (0, "", f"puppylog: token node {words}\n")
    assert server.connect().find_tokens([hash_token(token)])[hash_token(token)].scope == "ingest"
    assert listed(cli)["node"]["state"] == "accepted"


def test_a_changed_file_replaces_the_token_of_its_name(cli: InProcess, server: EmbeddedStore, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    tokens = [make_token(), make_token()]
    for token in tokens:
        secret.write_text(token, encoding="ascii")
        assert cli("tokens", "create", "node", "--scope", "read", "--token-file", str(secret)).code == 0
    found = server.connect().find_tokens([hash_token(token) for token in tokens])
    assert [hash_token(token) in found for token in tokens] == [False, True]


def test_a_revoked_token_of_a_file_stays_revoked(cli: InProcess, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(make_token(), encoding="ascii")
    create = ("tokens", "create", "node", "--scope", "read", "--token-file", str(secret))
    cli(*create)
    cli("tokens", "revoke", "node")
    result = cli(*create)
    assert result.code == 78
    assert "the store has it as node with the scope read, and it is revoked; make another token" in result.err


@pytest.mark.parametrize(
    ("content", "cause"),
    [(b"secret", "it has no token"), (b"", "it has no token"), (b"\xff", "not ASCII"), (None, "No such")],
)
def test_a_file_without_a_token_is_refused_without_being_repeated(
    cli: InProcess, tmp_path: Path, content: bytes | None, cause: str
) -> None:
    secret = tmp_path / "file"
    if content is not None:
        secret.write_bytes(content)
    result = cli("tokens", "create", "absent", "--scope", "read", "--token-file", str(secret))
    assert (result.code, result.out) == (78, "")
    assert cause in result.err
    assert "secret" not in result.err
    assert "absent" not in listed(cli)
