"""``puppylog contacts``: a test message to a receiver on loopback, and what is said of secrets."""

import json
import re
from pathlib import Path

import pytest

from puppylog.config.reading import check_configuration
from puppylog.notify.registry import CONTACT_TYPES
from support.http_receiver import HttpReceiver, Reply
from support.inprocess import InProcess

PAGE = Path(__file__).parents[2] / "docs" / "notifications.md"
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
SECRET = "hunter2hunter2"  # noqa: S105 - a value for the tests


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def write_file(folder: Path, url: str) -> str:
    (folder / "url").write_text(f"{url}/services/{SECRET}\n")
    file = folder / "config.toml"
    file.write_text(
        '[[contact]]\nname = "ops"\ntype = "slack"\nurl_file = "url"\n'
        '[[contact]]\nname = "hook"\ntype = "webhook"\nurl_env = "HOOK_URL"\n'
        '[[metric]]\nname = "hits"\nstatistic = "count"\n'
        '[[alert]]\nname = "busy"\nmetric = "hits"\ncomparison = ">"\nthreshold = 10\n'
        'window = "2m"\ncontacts = ["ops"]\n'
    )
    return str(file)


def test_a_test_message_says_that_it_is_one_and_what_was_answered(cli: InProcess, tmp_path: Path) -> None:
    with HttpReceiver(Reply(200, "ok")) as receiver:
        run = cli("contacts", "test", "ops", "-c", write_file(tmp_path, receiver.url))
        assert (run.code, run.out) == (0, "")
        assert run.err == "puppylog: contact ops (slack) took the message and answered: 200 ok\n"
        assert cli("contacts", "test", "ops", "--resolved", "-q", "-c", str(tmp_path / "config.toml")).err == ""
    firing, resolved = (received.json["text"] for received in receiver.received)
    assert firing.startswith("*[TEST] [FIRING] test: 12.5, above 10*\nThis is a test. Nothing is wrong.\n")
    assert resolved.startswith("*[TEST] [RESOLVED] test: 2, no longer above 10*\n")


def test_a_receiver_that_refuses_a_message_gives_1_and_no_secret(cli: InProcess, tmp_path: Path) -> None:
    with HttpReceiver(Reply(403, f"no {SECRET} here\nmore")) as receiver:
        run = cli("contacts", "test", "ops", "-c", write_file(tmp_path, receiver.url))
    place = f"cannot send the message to contact 'ops' at {receiver.url}"
    assert (run.code, run.err) == (1, f"puppylog: {place}: the receiver answered 403 no *** here\n")


def test_a_secret_that_cannot_be_read_gives_78(cli: InProcess, tmp_path: Path) -> None:
    file = write_file(tmp_path, "http://127.0.0.1:1")
    (tmp_path / "url").unlink()
    run = cli("contacts", "test", "ops", "-c", file)
    assert run.code == 78
    assert '[[contact]] "ops": url_file: cannot read ' in run.err
    assert cli("contacts", "test", "hook", "-c", file).code == 78
    assert cli("contacts", "test", "nobody", "-c", file).code == 2


def test_contacts_are_listed_with_the_alerts_that_name_them_and_without_secrets(cli: InProcess, tmp_path: Path) -> None:
    file = write_file(tmp_path, "http://127.0.0.1:1")
    run = cli("contacts", "list", "-o", "json", "-c", file)
    assert SECRET not in run.out + run.err
    assert [(row["name"], row["type"], row["alerts"]) for row in json.loads(run.out)] == [
        ("ops", "slack", ["busy"]),
        ("hook", "webhook", []),
    ]
    states = [row["state"] for row in json.loads(run.out)]
    assert states == ["ok", '[[contact]] "hook": url_env: the variable HOOK_URL is not set, or is empty']
    table = cli("contacts", "list", "-c", file).out.splitlines()
    assert table[0].split() == ["name", "type", "state", "alerts", "file"]


def test_without_contacts_the_list_says_how_to_declare_one(cli: InProcess, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    assert "declare one as [[contact]]" in cli("contacts", "list", "-c", str(tmp_path / "config.toml")).err


def test_the_page_has_an_example_of_each_type() -> None:
    assert {kind for text in EXAMPLES for kind in re.findall(r'type = "(\w+)"', text)} == set(CONTACT_TYPES)


@pytest.mark.parametrize("text", EXAMPLES, ids=[text.splitlines()[-1] for text in EXAMPLES])
def test_every_example_in_the_page_can_be_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(text)
    configuration, faults = check_configuration([tmp_path / "config.toml"])
    assert [fault.message for fault in faults] == []
    assert len(configuration.contacts) == 1


def test_an_alert_with_a_contact_that_the_file_lacks_is_created_with_a_warning(cli: InProcess, tmp_path: Path) -> None:
    file = write_file(tmp_path, "http://127.0.0.1:1")
    cli("monitor", "metrics", "create", "-i", "warned", "--period", "1s", "-c", file)
    rule = ("-m", "warned", "--when", "> 1", "--window", "10s", "-c", file)
    assert "contact" not in cli("monitor", "alerts", "create", "-i", "fine", "--contact", "ops", *rule).err
    made = cli("monitor", "alerts", "create", "-i", "wrong", "--contact", "opps", "--contact", "ops", *rule, "-q")
    assert made.code == 0
    assert made.err == (
        "puppylog: contact 'opps' is not declared here (did you mean 'ops'?): messages to it wait for a puppylog up "
        f'whose configuration has [[contact]] name = "opps"; on this machine, declare it in {file}\n'
    )
    changed = cli("monitor", "alerts", "update", "wrong", "--contact", "pager", "-c", file)
    assert "updated alert wrong" in changed.err
    assert "contact 'pager' is not declared here: messages to it wait" in changed.err
