"""The processes of a trial of notifications, each of which can be killed, and what must be true in the end."""

import email
import email.policy
import json
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import tomli_w

from puppylog.stores.base import Store
from support.commands import Puppylog
from support.receivers import find_free_port
from support.warm_commands import start_command

ALERTMANAGER: Final = shutil.which("prometheus-alertmanager")
LINE: Final = '{host} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /shop HTTP/1.1" 502 5 "-" "-"\n'


class Told(NamedTuple):
    """What a message says about one segment. Instants are whole seconds, as evaluations are."""

    kind: str  # firing or resolved
    segment: str
    at: datetime  # when it began to fire, or ended


class SenderProcess:
    """``puppylog up`` with contacts in its configuration file. It is started again after each kill."""

    def __init__(self, puppylog: Puppylog, contacts: Sequence[Mapping[str, object]], directory: Path) -> None:
        file = directory / "sender.toml"
        file.write_text(tomli_w.dumps({"contact": list(contacts)}))
        self._words = ["up", "-c", str(file)]
        self._environment = puppylog.environment
        self._log = directory / "sender.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = start_command(self._words, stdout=log, stderr=log, env=self._environment)

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(60)
            self._process = None

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")[-3000:]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()


class Writer:
    """A thread that writes a line per failing host twice a second. Hosts begin and end to fail at different times."""

    def __init__(self, path: Path, hosts: Sequence[str], *, period_s: float) -> None:
        self._path, self._hosts, self._period_s = path, hosts, period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        began = time.monotonic()
        with self._path.open("a") as log:
            while not self._stop.wait(0.5):
                phase = (time.monotonic() - began) / self._period_s
                for number, host in enumerate(self._hosts):
                    if (phase + number / len(self._hosts)) % 1 < 0.5:
                        log.write(LINE.format(host=host, at=datetime.now(UTC)))
                log.flush()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()


class Alertmanager:
    """Prometheus' Alertmanager on loopback. Usable with ``with``."""

    def __init__(self, directory: Path) -> None:
        self.port = find_free_port()
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it has."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v2/alerts", timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def _answers(self) -> bool:
        try:
            self.alerts()
        except OSError:
            return False
        return True

    def __enter__(self) -> Self:
        assert ALERTMANAGER is not None
        self._directory.mkdir()
        file = self._directory / "alertmanager.yml"
        file.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        words = [f"--config.file={file}", f"--storage.path={self._directory}", "--cluster.listen-address="]
        words.append(f"--web.listen-address=127.0.0.1:{self.port}")
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen([ALERTMANAGER, *words], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline, "Alertmanager does not answer"
            time.sleep(0.05)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)


def list_expected(store: Store) -> list[Told]:
    """Return what every contact must be told, from the alerts' history, in its order."""
    rows = store.query(
        "SELECT segment, evaluated_at, from_state, to_state FROM puppylog.alert_history ORDER BY id"
    ).to_pylist()
    expected = []
    for row in rows:
        if row["to_state"] == "firing":
            expected.append(Told("firing", row["segment"], row["evaluated_at"].astimezone(UTC)))
        elif row["to_state"] == "ok" and row["from_state"] == "firing":
            expected.append(Told("resolved", row["segment"], row["evaluated_at"].astimezone(UTC)))
    return expected


def read_payloads(payloads: Iterable[Mapping[str, Any]]) -> list[Told]:
    """Return what payloads of webhooks say, in order."""
    found = []
    for payload in payloads:
        for alert in payload["alerts"]:
            instant = alert["startsAt"] if alert["status"] == "firing" else alert["endsAt"]
            at = datetime.fromisoformat(instant)
            found.append(Told(alert["status"], alert["labels"]["segment"], at))
    return found


_SUBJECT: Final = re.compile(r"\[(FIRING|RESOLVED)(?: \d+)?\] \w+(.*)")
_ROW: Final = re.compile(r"^(web-\d+) .*?(?:since|ended) ([0-9-]+ [0-9:]+) UTC", re.MULTILINE)
_ONE: Final = re.compile(r"(?:Since|From [0-9-]+ [0-9:]+ UTC to) ([0-9-]+ [0-9:]+) UTC")


def read_mails(mails: Iterable[str]) -> list[Told]:
    """Return what e-mails say, from their subjects and their plain text."""
    found = []
    for text in mails:
        mail = email.message_from_string(text, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        subject = _SUBJECT.search(str(mail["Subject"]))
        body = mail.get_body(("plain",))
        assert subject is not None, text[:500]
        assert body is not None, text[:500]
        kind, plain = subject[1].lower(), str(body.get_content())
        if subject[2].endswith(" segments"):
            found += [Told(kind, host, _instant(instant)) for host, instant in _ROW.findall(plain)]
            continue
        (host,) = re.findall(r"web-\d+", subject[2])
        one = _ONE.search(plain)
        assert one is not None, plain
        found.append(Told(kind, host, _instant(one[1])))
    return found


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def check_told(told: Sequence[Told], expected: Sequence[Told], receiver: str) -> None:
    """Check that a receiver was told everything at least once, nothing else, and each end only after its beginning."""
    missing = set(expected) - set(told)
    assert not missing, f"{receiver} was not told of {len(missing)} of {len(expected)}: {sorted(missing)[:5]}"
    assert set(told) <= set(expected), f"{receiver}: {sorted(set(told) - set(expected))[:5]}"
    begins: dict[Told, Told] = {}
    last: dict[str, Told] = {}
    for one in expected:
        if one.kind == "resolved":
            begins[one] = last[one.segment]
        last[one.segment] = one
    heard: set[Told] = set()
    for one in told:
        assert one.kind == "firing" or begins[one] in heard, f"{receiver} was told {one} before its beginning"
        heard.add(one)


def count_repeats(told: Sequence[Told]) -> int:
    counts: defaultdict[Told, int] = defaultdict(int)
    for one in told:
        counts[one] += 1
    return sum(count - 1 for count in counts.values())
