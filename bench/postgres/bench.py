"""All measurements on one server."""

import argparse
from collections.abc import Callable
from pathlib import Path

from bench.idle import measure_idle_server
from bench.latency import measure_answers, measure_visibility
from bench.postgres.ingest import ServerStore, figures_of, measure_rounds
from bench.postgres.layout import read_layout
from bench.postgres.server import Server
from bench.processes import BenchBroken, Workspace
from bench.report import Figure


class ServerBench:
    """The measurements on a server that was named as one kind of store."""

    def __init__(self, store: str, url: str, work: Path) -> None:
        """Bootstrap a database on the server, to find its flavour.

        Raises:
            BenchBroken: the server has another flavour than ``store``, or cannot be used.
        """
        work.mkdir()
        self._work = work
        self._store = store
        self._server = Server(url)
        with self._server.database() as name:
            workspace = Workspace(work / "look", self._server.url_of(name))
            workspace.run("bootstrap")
            self._server_store = ServerStore(self._server, read_layout(workspace.url))
        layout = self._server_store.layout
        if layout.is_timescale != (store == "timescaledb"):
            raise BenchBroken(f"{self._server.address} was named as {store}, but its flavour is {layout.flavour}")

    @property
    def title(self) -> str:
        where = "" if self._server.is_here else ", on another machine"
        return f"{self._store}, {self._server_store.layout.version}{where}"

    def measure(self, log: Path, options: argparse.Namespace, say: Callable[[str], None]) -> list[Figure]:
        figures: list[Figure] = []
        if "ingest" in options.only:
            figures += self._measure_ingest(log, options, say)
        if "answers" in options.only:
            say(f"{self._store}: answers during a backfill")
            figures += measure_answers(self._work / "answers", log, self._server_store.workspace_with_jobs)
        if "visibility" in options.only:
            say(f"{self._store}: from append to visible")
            figures += measure_visibility(self._work / "visibility", options.samples, self._server_store.workspace)
        if "idle" in options.only:
            say(f"{self._store}: idle")
            read_s = self._server.cpu_s if self._server.is_here else None
            with self._server_store.workspace(self._work / "idle") as workspace:
                figures += measure_idle_server(workspace, read_s, options.idle_s, options.settle_s)
        return figures

    def _measure_ingest(self, log: Path, options: argparse.Namespace, say: Callable[[str], None]) -> list[Figure]:
        rounds = []
        for round_ in measure_rounds(self._server_store, self._work, log, options.lines, options.pairs):
            rounds.append(round_)
            speed, floor = (options.lines / load.usage.wall_s for load in (round_.collector.load, round_.floor))
            say(f"{self._store}: ingest {len(rounds)} of {options.pairs}: {speed:,.0f} lines/s, floor {floor:,.0f}")
        return figures_of(rounds, options.lines, is_server_here=self._server.is_here)
