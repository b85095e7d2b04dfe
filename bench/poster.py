"""Posts a file of JSON lines to a server, in requests of some megabytes, over eight connections."""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import urllib3

from bench.processes import BenchBroken, Stopwatch

_REQUEST_BYTES: Final = 4 << 20
_CONNECTIONS: Final = 8


def main() -> None:
    """Run as ``python -m bench.poster URL FILE``; print bytes, seconds and CPU seconds as JSON."""
    url, path = sys.argv[1], Path(sys.argv[2])
    bodies = list(_iter_bodies(path.read_bytes()))
    pool = urllib3.connection_from_url(url, maxsize=_CONNECTIONS, retries=False)

    def post(body: bytes) -> None:
        answer = pool.request("POST", "/api/v1/lines?source=bench&format=json", body=body)
        if answer.status != 200:
            raise BenchBroken(f"the server answers {answer.status}: {answer.data[:200]!r}")

    watch = Stopwatch()
    with ThreadPoolExecutor(_CONNECTIONS) as threads:
        list(threads.map(post, bodies))
    sys.stdout.write(json.dumps({**watch.read(), "bytes": sum(map(len, bodies))}))


def _iter_bodies(data: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(data):
        end = data.find(b"\n", min(start + _REQUEST_BYTES, len(data) - 1)) + 1
        yield data[start:end]
        start = end


if __name__ == "__main__":
    main()
