"""Applications that log numbered lines into one directory, each rotated in a random way."""

import random
import shutil
from pathlib import Path

from support.compressing import COMPRESS

LINE = (
    '10.0.0.{log} - - [01/Mar/2026:12:00:{second:02d} +0000] "GET /{log}/{number} HTTP/1.1" 200 {number} "-" "soak"\n'
)
KEPT = 4  # rotated files; older ones are deleted

KINDS = ("rename", "rename and compress", "copytruncate", "compress later", "date")


class RotatedLog:
    """One application's log, and its logrotate."""

    def __init__(self, directory: Path, number: int, chance: random.Random) -> None:
        self.path = directory / f"app{number}.log"
        self.number = number
        self.written = 0
        self._chance = chance
        self._rotations = 0
        self._file = self.path.open("ab", buffering=0)

    def write(self, count: int) -> None:
        """Write lines in one or two pieces: a reader may find half a line."""
        numbers = range(self.written, self.written + count)
        data = "".join(LINE.format(log=self.number, second=n % 60, number=n) for n in numbers).encode()
        cut = self._chance.randrange(len(data))
        self._file.write(data[:cut])
        self._file.write(data[cut:])
        self.written += count

    @property
    def is_about_to_forget(self) -> bool:
        """Whether the next rotation deletes a file."""
        names = (f"{self.path.name}.{KEPT - 1}*", f"{self.path.name}.{KEPT}*")
        is_full = any(True for name in names for _ in self.path.parent.glob(name))
        return is_full or len(list(self.path.parent.glob(f"{self.path.name}-*"))) > KEPT

    def rotate(self) -> str:
        """Rotate the log in one of KINDS; return which."""
        kind = self._chance.choice(KINDS)
        self._rotations += 1
        self._shift()
        newest = self.path.with_name(f"{self.path.name}.1")
        if kind == "copytruncate":
            shutil.copyfile(self.path, newest)
            self._file.truncate(0)
            return kind
        if kind == "date":
            newest = self.path.with_name(f"{self.path.name}-{20260101 + self._rotations}")
        self._file.close()
        self.path.rename(newest)
        self._file = self.path.open("ab", buffering=0)
        if kind == "rename and compress":
            self._compress(newest)
        if kind == "compress later":
            self._compress(self.path.with_name(f"{self.path.name}.2"))
        return kind

    def _shift(self) -> None:
        """Rename app.log.1 to app.log.2 and so on, compressed or not; delete the oldest files."""
        for age in range(KEPT, 0, -1):
            for path in self.path.parent.glob(f"{self.path.name}.{age}*"):
                ending = path.name.removeprefix(f"{self.path.name}.{age}")
                if age < KEPT:
                    path.rename(path.with_name(f"{self.path.name}.{age + 1}{ending}"))
        dated = sorted(self.path.parent.glob(f"{self.path.name}-*"))
        for path in [*self.path.parent.glob(f"{self.path.name}.{KEPT}*"), *dated[:-KEPT]]:
            path.unlink()

    def _compress(self, path: Path) -> None:
        if not path.exists():
            return
        ending = self._chance.choice(sorted(COMPRESS))
        packed = path.with_name(f"{path.name}{ending}")
        packed.write_bytes(COMPRESS[ending](path.read_bytes()))
        shutil.copystat(path, packed)
        path.unlink()

    def close(self) -> None:
        self._file.close()
