"""A stand-in for kubelet and a container runtime: it writes, rotates, compresses, restarts and deletes logs of pods.

The steps of a rotation are those of kubelet's log manager, in its order: what was left unfinished is removed, the
oldest files are removed, all rotated files are compressed, and last the log is renamed. The runtime then opens a new
one, so the newest rotated file is never compressed.
"""

import gzip
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

_START = datetime(2026, 11, 28, 10, 10, 10, tzinfo=UTC)


class PodLog:
    """The logs of one container of one pod, with lines that are numbered over its restarts."""

    def __init__(
        self,
        root: Path,
        name: str,
        *,
        max_bytes: int,
        max_files: int = 5,
        chance: random.Random,
        before_delete: Callable[[], None] = lambda: None,
    ) -> None:
        """Create the pod's directory and the container's first log.

        Args:
            root: the place of /var/log/pods.
            name: of the pod.
            max_bytes: the size at which a log is rotated.
            max_files: the log and its rotated files, at most.
            chance: decides which lines are split.
            before_delete: called before a file is deleted that a collector may not have read.
        """
        self.name = name
        self.pod = root / f"shop_{name}_{name}-uid"
        self.directory = self.pod / "web"
        self.directory.mkdir(parents=True)
        self.restarts = 0
        self.written: list[str] = []
        self.rotations = 0
        self.deleted_unread = 0
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._chance = chance
        self._before_delete = before_delete
        self._file = self.path.open("ab", buffering=0)

    @property
    def path(self) -> Path:
        return self.directory / f"{self.restarts}.log"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the stream of the present log."""
        return {
            "container": "web",
            "namespace": "shop",
            "pod": self.name,
            "pod_uid": f"{self.name}-uid",
            "restart": str(self.restarts),
        }

    def write(self, count: int) -> None:
        """Write messages as a runtime does, in one or two pieces. A long message is divided into parts."""
        data = bytearray()  # appending to bytes would copy all of a large step for each message
        for _ in range(count):
            text = f"line {len(self.written)} {'x' * self._chance.choice([1, 90])}"
            message = f"{self.name} after {self.restarts} restarts says {text}"
            self.written.append(message)
            stamp = (_START + timedelta(milliseconds=len(self.written))).isoformat(timespec="microseconds")[:26]
            size = -(-len(message) // self._chance.choice([1, 1, 1, 3]))
            for at in range(0, len(message), size):
                tag = "F" if at + size >= len(message) else "P"
                data += f"{stamp}000Z stdout {tag} {message[at : at + size]}\n".encode()
        cut = self._chance.randrange(len(data))
        self._file.write(data[:cut])
        self._file.write(data[cut:])

    def rotate_if_full(self) -> bool:
        """Rotate the log if it has the size; return whether it was rotated."""
        if self._file.tell() < self._max_bytes:
            return False
        for rest in self.directory.glob(f"{self.path.name}.*.tmp"):
            rest.unlink()
        rotated = sorted(self.directory.glob(f"{self.path.name}.*"))
        for oldest in rotated[: max(0, len(rotated) - (self._max_files - 2))]:
            self._before_delete()
            oldest.unlink()
            self.deleted_unread += 1
            rotated.remove(oldest)
        for log in rotated:
            if log.suffix != ".gz":
                self._compress(log)
        self.rotations += 1
        stamp = f"{_START + timedelta(seconds=self.rotations):%Y%m%d-%H%M%S}"
        self.path.rename(self.path.with_name(f"{self.path.name}.{stamp}"))
        if self._chance.random() < 0.5:
            self.write(1)  # the runtime writes to the renamed file until it is told to open a new one
        self._file.close()
        self._file = self.path.open("ab", buffering=0)
        return True

    def _compress(self, log: Path) -> None:
        partial = log.with_name(f"{log.name}.tmp")
        with log.open("rb") as plain, gzip.open(partial, "wb") as packed:
            shutil.copyfileobj(plain, packed)
        partial.rename(log.with_name(f"{log.name}.gz"))
        log.unlink()

    def restart(self) -> None:
        """Start the container again. kubelet keeps the logs of the container before it, and deletes older ones."""
        self._file.close()
        if self.restarts:
            self._before_delete()
            for old in self.directory.glob(f"{self.restarts - 1}.log*"):
                old.unlink()
        self.restarts += 1
        self._file = self.path.open("ab", buffering=0)

    def delete_pod(self) -> None:
        """Delete the pod with its directory."""
        self._before_delete()
        self._file.close()
        shutil.rmtree(self.pod)

    def read_messages(self) -> list[str]:
        """Return the messages in the files that exist now."""
        data = b"".join(
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            for path in self.directory.iterdir()
        )
        heads_and_texts = [line.split(" ", 3) for line in data.decode().splitlines()]
        return "".join(text + "\n" * (tag == "F") for _, _, tag, text in heads_and_texts).splitlines()

    def close(self) -> None:
        self._file.close()
