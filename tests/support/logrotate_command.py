"""Runs logrotate if it is installed; else a stand-in that does the same for the options that tests use."""

import gzip
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

COMMAND = shutil.which("logrotate", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
KEPT = 20
_DATE = "-%Y%m%d%H%M%S"


class Logrotate:
    """Rotates one log by its options, once for each call of `rotate`."""

    def __init__(self, log: Path, options: Sequence[str], *, is_real: bool) -> None:
        self._log = log
        self._options = list(options)
        self._is_real = is_real
        self._old = log.parent.parent / "old"
        self._rotated_at = 0
        home = log.parent.parent
        self._configuration, self._state = home / "logrotate.conf", home / "logrotate.state"
        if "olddir" in options:
            self._old.mkdir()

    def rotate(self) -> None:
        """Rotate now. With dates in names, wait for the next second after the last rotation."""
        if "dateext" in self._options:
            # A little more than a second: the clock of whole seconds may be some milliseconds late.
            while time.time() < self._rotated_at + 1.05:
                time.sleep(0.01)
        if self._is_real:
            self._run()
        else:
            self._stand_in()
        self._rotated_at = int(time.time())

    def _run(self) -> None:
        assert COMMAND is not None
        words = {
            "olddir": f"olddir {self._old}",
            "extension": "extension .log",
            "dateext": f"dateext\ndateformat {_DATE}",
        }
        options = "\n".join(words.get(option, option) for option in self._options)
        self._configuration.write_text(f"{self._log} {{\nrotate {KEPT}\n{options}\n}}\n")
        self._configuration.chmod(0o600)
        subprocess.run([COMMAND, "-f", "-s", self._state, self._configuration], check=True)

    def _stand_in(self) -> None:
        directory = self._old if "olddir" in self._options else self._log.parent
        for number in range(KEPT, 0, -1) if "dateext" not in self._options else ():
            for ending in ("", ".gz"):
                path = directory / self._name(f".{number}", ending)
                if path.exists():
                    path.rename(directory / self._name(f".{number + 1}", ending))
        infix = time.strftime(_DATE) if "dateext" in self._options else ".1"
        newest = directory / self._name(infix)
        if "copytruncate" in self._options:
            shutil.copy2(self._log, newest)
            with self._log.open("r+b") as log:
                log.truncate(0)
        else:
            self._log.rename(newest)
            if "create" in self._options:
                self._log.touch()
        if "compress" in self._options:
            for path in directory.glob(self._name("[.-][0-9]*")):
                if path != newest or "delaycompress" not in self._options:
                    _compress(path)

    def _name(self, infix: str, ending: str = "") -> str:
        if "extension" in self._options:
            return f"{self._log.stem}{infix}.log{ending}"
        return f"{self._log.name}{infix}{ending}"


def _compress(path: Path) -> None:
    if path.suffix == ".gz":
        return
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    shutil.copystat(path, packed)
    path.unlink()
