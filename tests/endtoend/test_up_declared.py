"""``puppylog up -c FILE`` as a real process: several sources, SIGHUP, kill -9, and what the service manager is told."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.permanent import Permanent

pytestmark = pytest.mark.sampled

PLAIN = '[[source]]\npaths = ["plain.log"]\nformat = "plain"\ngroup = "shop"\n'
JSON = '[[source]]\npaths = ["json*.log"]\nformat = "json"\n'
ALERT = """
[[metric]]
name = "lines"
period = "10s"
[[alert]]
name = "silent"
metric = "lines"
comparison = "<"
threshold = {}
window = "10s"
"""


@pytest.fixture
def permanent(tmp_path: Path) -> Iterator[Permanent]:
    with EmbeddedStore(tmp_path / "own") as own, Permanent(own, tmp_path) as permanent:
        yield permanent


def test_sources_and_definitions_of_the_file_are_in_effect_and_change_with_it(permanent: Permanent) -> None:
    permanent.file.write_text(PLAIN + ALERT.format(1))
    permanent.write("plain.log", 3)
    permanent.start()
    permanent.wait_for_lines()
    with permanent.own.connect() as store:
        assert [(alert.name, alert.threshold) for alert in store.list_alerts()] == [("silent", 1)]
        permanent.write("json.log", 3)
        assert "STATUS=2 sources" in permanent.reload(PLAIN + JSON + ALERT.format(2))
        permanent.write("plain.log", 3)
        permanent.wait_for_lines()
        assert [alert.threshold for alert in store.list_alerts()] == [2]
        streams = store.query(
            "SELECT g.name FROM puppylog.log_streams s LEFT JOIN puppylog.log_groups g ON g.id = group_id"
        )
        assert sorted(streams["name"].to_pylist(), key=str) == [None, "shop"]

        told = permanent.reload(PLAIN + JSON + ALERT.format(3).replace("threshold", "treshold"))
        assert "the changed configuration is wrong" in told
        assert "unknown key 'treshold' (did you mean 'threshold'?)" in permanent.read_talk()
        permanent.write("json.log", 3)
        permanent.wait_for_lines()
        assert [alert.threshold for alert in store.list_alerts()] == [2]
    permanent.wait_for_manager("WATCHDOG=1")
    assert permanent.end() == 0
    permanent.wait_for_manager("STOPPING=1")


def test_each_line_is_stored_once_through_reloads_rotation_and_kill(permanent: Permanent) -> None:
    permanent.file.write_text(PLAIN + JSON)
    names = ("plain.log", "json-a.log", "json-b.log")
    for name in names:
        permanent.write(name, 10)
    permanent.start()
    permanent.wait_for_lines()
    files = [JSON, PLAIN + JSON, PLAIN.replace("shop", "other") + JSON, JSON + PLAIN]
    for number, configuration in enumerate(files):
        for name in names:
            permanent.write(name, 2_000)
        permanent.reload(configuration)
        if number % 2:
            (permanent.folder / "plain.log").rename(permanent.folder / f"plain.log.{9 - number}")
        for name in names:
            permanent.write(name, 2_000)
        if number == 2:
            permanent.end(signal.SIGKILL)
            permanent.start()
    permanent.wait_for_lines()
    assert permanent.end() == 0


def test_a_process_without_sources_waits_for_some(permanent: Permanent) -> None:
    permanent.file.write_text("")
    permanent.write("plain.log", 3)
    permanent.start()
    permanent.reload(PLAIN)
    permanent.wait_for_lines()
    assert permanent.end(signal.SIGINT) == 0
    wait_until(lambda: "3 records" in permanent.read_talk(), what="the summary")


def test_a_contact_of_the_file_is_told_of_an_alert(permanent: Permanent) -> None:
    told = permanent.folder / "told"
    permanent.file.write_text(
        PLAIN
        + '[[contact]]\nname = "ops"\ntype = "exec"\n'
        + f'command = ["/bin/sh", "-c", "cat >> {told}; echo ${{NOTIFY_SOCKET-none}} >> {told}"]\n'
        + ALERT.format(1).replace('window = "10s"', 'window = "10s"\ncontacts = ["ops"]\ngroup_wait = "0s"')
    )
    permanent.start()
    wait_until(lambda: told.exists() and "none\n" in told.read_text(), what="the message")
    assert '"silent"' in told.read_text()
    wait_until(lambda: "told ops that alert silent fires" in permanent.read_talk(), what="the report")
    assert permanent.end() == 0


def test_the_example_of_the_page_runs(permanent: Permanent) -> None:
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    example = page.read_text(encoding="utf-8").split("```toml\n", 1)[1].split("```", 1)[0]
    (permanent.folder / "slack-url").write_text("http://127.0.0.1:9/")
    permanent.file.write_text(example.replace("/etc/puppylog/", "").replace("/var/log/", ""))
    permanent.start()
    planned = Puppylog(permanent.own.url, permanent.folder)("apply", "-c", str(permanent.file), "--dry-run")
    assert planned.code == 0, planned.out + planned.err
    assert permanent.end() == 0
