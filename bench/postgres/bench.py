"""Everything that is measured on one server."""

import argparse
from collections.abc import Callable
from pathlib import Path

from bench.idle import measure_idle_server
from bench.latency import measure_answers, measure_visibility
from bench.postgres.ingest import Stand, figures_of, measure_rounds
from bench.postgres.layout import read_layout
from bench.postgres.server import Server
from bench.processes import BenchBroken, Place
from bench.report import Figure


class ServerBench:
    """A server that was named for a kind of store."""

    def __init__(self, store: str, url: str, work: Path) -> None:
        """Look what Puppylog makes of the server.

        Raises:
            BenchBroken: it is not what it was named for, or cannot be used.
        """
        work.mkdir()
        self._work = work
        self._store = store
        self._server = Server(url)
        with self._server.database() as name:
            place = Place(work / "look", self._server.url_of(name))
            place.run("bootstrap")
            self._stand = Stand(self._server, read_layout(place.url))
        layout = self._stand.layout
        if layout.is_timescale != (store == "timescaledb"):
            raise BenchBroken(
                f"{self._server.place} was named for {store}, and makes a store of flavour {layout.flavour}"
            )

    @property
    def title(self) -> str:
        where = "" if self._server.is_here else ", on another machine"
        return f"{self._store}, {self._stand.layout.version}{where}"

    def measure(self, log: Path, options: argparse.Namespace, say: Callable[[str], None]) -> list[Figure]:
        figures: list[Figure] = []
        if "ingest" in options.only:
            figures += self._measure_ingest(log, options, say)
        if "answers" in options.only:
            say(f"{self._store}: answers during a backfill")
            figures += measure_answers(self._work / "answers", log, self._stand.tended_place)
        if "visibility" in options.only:
            say(f"{self._store}: from append to visible")
            figures += measure_visibility(self._work / "visibility", options.samples, self._stand.place)
        if "idle" in options.only:
            say(f"{self._store}: idle")
            read_s = self._server.cpu_s if self._server.is_here else None
            with self._stand.place(self._work / "idle") as place:
                figures += measure_idle_server(place, read_s, options.idle_s, options.settle_s)
        return figures

    def _measure_ingest(self, log: Path, options: argparse.Namespace, say: Callable[[str], None]) -> list[Figure]:
        rounds = []
        for round_ in measure_rounds(self._stand, self._work, log, options.lines, options.pairs):
            rounds.append(round_)
            speed, floor = (options.lines / way.usage.wall_s for way in (round_.collector.way, round_.floor))
            say(f"{self._store}: ingest {len(rounds)} of {options.pairs}: {speed:,.0f} lines/s, floor {floor:,.0f}")
        return figures_of(rounds, options.lines, is_server_here=self._server.is_here)
