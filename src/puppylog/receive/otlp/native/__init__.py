"""The decoder of protobuf in C: ``records`` is None if there was no C compiler when Puppylog was installed.

It does the same as ``protobuf_request.py`` for the requests that real senders make. Tests compare the two.
"""

__all__ = ["records"]

try:
    from puppylog.receive.otlp.native import _records as records
except ImportError:  # there was no C compiler when Puppylog was installed
    records = None  # type: ignore[assignment]  # mypy has no type for a module that may be missing
