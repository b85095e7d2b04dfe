import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from puppylog.stores.duckdb.polling import polling_in_callers
from support.embedded import EmbeddedStore

QUERIES: Final = 50

# Prints how often the threads of gRPC's event engine have run in the client and in the engine during its queries.
CLIENT: Final = f"""
import contextlib
import sys
from pathlib import Path
from puppylog.stores.duckdb.client.store import DuckdbStore

def switches(process):
    switches = 0
    for task in Path("/proc", str(process), "task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines())
            if "event_engine" in status["Name"]:
                switches += int(status["voluntary_ctxt_switches"])
    return switches

with DuckdbStore(Path(sys.argv[1])) as store:
    store.query("SELECT 1")
    before = switches("self") + switches(store.engine_pid)
    for _ in range({QUERIES}):
        store.query("SELECT 1")
    print(switches("self") + switches(store.engine_pid) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="NOT TESTED: threads by name, which only Linux lists")
def test_a_query_is_not_handed_over_to_threads_of_grpc(server: EmbeddedStore) -> None:
    path = str(server.directory.path)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, path], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == ""  # gRPC knows the names of what is switched off
    assert int(done.stdout) < 6 * QUERIES  # 1 or 2 for each query; with the event engine, 13 or more


def test_the_choice_is_not_inherited_by_other_programs() -> None:
    before = dict(os.environ)
    with polling_in_callers():
        pass
    assert dict(os.environ) == before
