"""Puppylog from Python: connect to a store, and get its records, metrics and alerts as Arrow.

``docs/python.md`` shows every method with its result.
"""

from puppylog.api.answer import Answer
from puppylog.api.connection import Connection, connect

__all__ = ["Answer", "Connection", "connect"]
