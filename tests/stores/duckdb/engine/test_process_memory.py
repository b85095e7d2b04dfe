"""Pages of libraries are given up only where the system can read them again, and the libraries work afterwards."""

import subprocess
import sys
from pathlib import Path

import pytest

from puppylog.stores.duckdb.engine.process_memory import iter_pages

MAPPINGS = """\
00400000-00401000 r-xp 00000000 08:01 1                          /usr/bin/python3
Rss:                   4 kB
Anonymous:             0 kB
7f0000000000-7f0000003000 r--p 00000000 08:01 2                  /lib/libarrow.so.2600
Rss:                  12 kB
Anonymous:             0 kB
7f0000003000-7f0000013000 r-xp 00003000 08:01 2                  /lib/libarrow.so.2600
Rss:                  64 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me
7f0000013000-7f0000014000 rw-p 00013000 08:01 2                  /lib/libarrow.so.2600
Rss:                   4 kB
Anonymous:             4 kB
7f0000014000-7f0000016000 r--p 00014000 08:01 2                  /lib/libarrow.so.2600
Rss:                   8 kB
Anonymous:             0 kB
Swap:                  0 kB
7f0000017000-7f0000018000 r-xp 00017000 08:01 2                  /lib/libarrow.so.2600
Rss:                   0 kB
Anonymous:             0 kB
Swap:                  4 kB
7f0000020000-7f0000021000 r-xp 00000000 08:01 3                  /a place/_changed.so
Rss:                   4 kB
Anonymous:             4 kB
7f0000030000-7f0000032000 r-xp 00000000 08:01 4                  /a place/_duckdb.cpython-311-x86_64-linux-gnu.so
Rss:                   8 kB
Anonymous:             0 kB
7f0000040000-7f0000041000 r-xp 00000000 00:00 0
Rss:                   4 kB
Anonymous:             0 kB
7fff00000000-7fff00002000 r-xp 00000000 00:00 0                  [vdso]
Rss:                   8 kB
Anonymous:             0 kB
"""

# Gives up the pages between two queries; prints the resident size before and after, and the answers.
PROGRAM = """
import duckdb
from pathlib import Path
from puppylog.stores.duckdb.engine.process_memory import give_up

def resident_kb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

query = "SELECT sum(n)::BIGINT FROM (SELECT x % 7 AS g, count(*) AS n FROM range(100000) AS r (x) GROUP BY g)"
connection = duckdb.connect()
one, before = connection.execute(query).fetchone(), resident_kb()
give_up()
after, other = resident_kb(), connection.execute(query).fetchone()
print(before, after, one[0], other[0])
"""


def test_only_unchanged_pages_of_libraries_are_given_up() -> None:
    assert list(iter_pages(MAPPINGS)) == [
        (0x7F0000000000, 0x3000),
        (0x7F0000003000, 0x10000),
        (0x7F0000030000, 0x2000),
    ]
    assert list(iter_pages("")) == []


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="NOT TESTED: the system does not tell what is mapped")
def test_a_process_is_smaller_afterwards_and_its_libraries_work() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, after, one, other = map(int, done.stdout.split())
    assert after < before - 10_000
    assert one == other == 100_000
