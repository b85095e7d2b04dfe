import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from puppylog.cli.service_socket import ServiceSocket
from puppylog.cli.watchdog import Watchdog
from puppylog.collect.collector import Collector


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def service(manager: socket.socket, **environ: str) -> ServiceSocket:
    return ServiceSocket({"NOTIFY_SOCKET": manager.getsockname(), **environ})


def receive(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def drain(manager: socket.socket) -> list[str]:
    """Return the datagrams that have come, without waiting."""
    manager.setblocking(False)
    found = []
    try:
        while True:
            found.append(manager.recv(4096).decode())
    except BlockingIOError:
        return found
    finally:
        manager.settimeout(30)


def test_the_service_manager_is_told_what_the_process_does(manager: socket.socket) -> None:
    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    told = service(manager)
    told.tell_ready("2 sources\nREADY=0")
    assert receive(manager) == "READY=1\nSTATUS=2 sources READY=0", "a line end cannot add a line"
    told.tell_reloading()
    first, second = receive(manager).split("\n")
    assert first == "RELOADING=1"
    assert (
        before_us <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    )
    told.tell_alive()
    assert receive(manager) == "WATCHDOG=1"
    told.tell_stopping()
    assert receive(manager) == "STOPPING=1"


def test_an_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0puppylog-test-{os.getpid()}")
        listening.settimeout(30)
        ServiceSocket({"NOTIFY_SOCKET": f"@puppylog-test-{os.getpid()}"}).tell_alive()
        assert receive(listening) == "WATCHDOG=1"


def test_without_a_service_manager_nothing_is_said() -> None:
    ServiceSocket({}).tell_ready("")
    ServiceSocket({"NOTIFY_SOCKET": "/nowhere/at/all"}).tell_ready("")
    assert ServiceSocket({"WATCHDOG_USEC": "1000000"}).watchdog_s is None


@pytest.mark.parametrize(
    ("environ", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": str(os.getpid())}, 1.5),
        ({"WATCHDOG_USEC": "1500000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_that_of_the_environment(
    manager: socket.socket, environ: dict[str, str], watchdog_s: float | None
) -> None:
    assert service(manager, **environ).watchdog_s == watchdog_s


def test_only_a_collector_that_moves_gives_signs_of_life(manager: socket.socket) -> None:
    collector: Any = SimpleNamespace(moved_at=time.monotonic() + 3600)  # it moves during the whole test
    stop = threading.Event()
    with Watchdog(service(manager, WATCHDOG_USEC="80000"), cast("Collector", collector), stop):
        assert [receive(manager) for _ in range(3)] == ["WATCHDOG=1"] * 3
        collector.moved_at = time.monotonic() - 3600  # it hangs
        time.sleep(0.1)  # a sign that was on its way arrives
        drain(manager)
        time.sleep(0.2)
        assert drain(manager) == []
        stop.set()
        assert receive(manager) == "STOPPING=1"
        collector.moved_at = time.monotonic() + 3600  # it commits the last lines
        assert receive(manager) == "WATCHDOG=1"


def test_a_server_that_hangs_gives_no_signs_of_life(manager: socket.socket) -> None:
    collector: Any = SimpleNamespace(moved_at=time.monotonic() + 3600)
    serves = [True]
    with Watchdog(
        service(manager, WATCHDOG_USEC="80000"),
        cast("Collector", collector),
        threading.Event(),
        is_serving=lambda _within_s: serves[0],
    ):
        assert receive(manager) == "WATCHDOG=1"
        serves[0] = False
        time.sleep(0.1)  # a sign that was on its way arrives
        drain(manager)
        time.sleep(0.2)
        assert drain(manager) == []
