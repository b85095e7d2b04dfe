"""Puppylog: a tiny distributed log collector. Every complete line is stored exactly once."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command does not need these, and they load Arrow
    from puppylog.api import Answer, Connection, connect

__all__ = ["Answer", "Connection", "__version__", "connect"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in ("Answer", "Connection", "connect"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("puppylog.api"), name)


def __dir__() -> list[str]:
    """Return the public names, so that a shell of Python completes those that are not loaded yet."""
    return sorted(__all__)
