r"""Reads log files as chunks of whole lines with positions, through rotation and truncation.

This layer knows no format and no store. A caller polls a `puppylog.tail.tailer.Tailer` of each path.

Example:
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from puppylog.tail.tailer import Tailer
    >>> with TemporaryDirectory() as directory:
    ...     log = Path(directory, "app.log")
    ...     _ = log.write_bytes(b"one\ntwo\nthr")
    ...     tailer = Tailer(str(log))
    ...     chunks = list(tailer.read())
    ...     _ = log.write_bytes(b"one\ntwo\nthree\n")
    ...     chunks += tailer.read()
    ...     tailer.close()
    >>> [(chunk.start, chunk.end, chunk.data) for chunk in chunks]
    [(0, 8, b'one\ntwo\n'), (8, 14, b'three\n')]
"""
