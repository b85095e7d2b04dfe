"""The wait of an engine that was started before its store exists, see `client.launch.begin_engine`."""

import os
import sys

from puppylog.stores.duckdb.directory import StoreDirectory, open_private


def wait_for_store(directory: StoreDirectory) -> None:
    """Wait until the client has created the store. End the process if the client ends before.

    The standard error becomes the engine's log, which could not be opened before.
    """
    if not sys.stdin.buffer.read(1):
        sys.exit(0)
    with open(directory.log, "ab", opener=open_private) as log:
        os.dup2(log.fileno(), sys.stderr.fileno())
