"""A log, the tailers that read it, and the positions that a store would have."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from puppylog.tail.tailer import Tailer
from support.tailing import Ledger

WAIT_S = 5.0


@dataclass
class World:
    """A log, its tailers, and what is stored of it. The test moves the clock."""

    log: Path
    ledger: Ledger = field(default_factory=Ledger)
    now: float = 100.0
    tailers: list[Tailer] = field(default_factory=list)

    def start(self, **options: Any) -> None:
        """Start a tailer at the stored positions. The tailer before it is closed, as after a crash."""
        self.stop()
        options = {"rotate_wait_s": WAIT_S, "clock": lambda: self.now, **options}
        self.tailers.append(Tailer(str(self.log), self.ledger.known, **options))

    @property
    def tailer(self) -> Tailer:
        return self.tailers[-1]

    def poll(self) -> list[bytes]:
        return self.ledger.poll(self.tailer)

    def poll_after_the_wait(self) -> list[bytes]:
        self.now += WAIT_S
        return self.poll()

    def run_once(self) -> list[bytes]:
        """Collect without watching: rotated files are finished at once."""
        self.start(rotate_wait_s=0)
        lines = self.poll()
        self.stop()
        return lines

    def stop(self) -> None:
        for tailer in self.tailers:
            tailer.close()

    def append(self, text: str, name: str | None = None) -> None:
        with self.log.with_name(name or self.log.name).open("a") as file:
            file.write(text)

    def rotate(self, name: str = "a.log.1") -> None:
        self.log.rename(self.log.with_name(name))
