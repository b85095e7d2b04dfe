"""Short names of sources: as many of the last words of a path as tell the sources apart."""

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePosixPath

from puppylog.model.source import name_source, split_uri


def shorten_sources(source_uris: Mapping[int, str]) -> dict[int, str]:
    """Return a short name for each source; different sources have different names.

    >>> shorten_sources({1: "file:///var/log/syslog", 2: "file:///srv/a/web.log", 3: "file:///srv/b/web.log"})
    {1: 'syslog', 2: 'a/web.log', 3: 'b/web.log'}
    """
    candidates = {source_id: _list_names(uri) for source_id, uri in source_uris.items()}
    step = dict.fromkeys(source_uris, 0)
    while True:
        names = {source_id: candidates[source_id][at] for source_id, at in step.items()}
        counts = Counter(names.values())
        longer = [key for key, name in names.items() if counts[name] > 1 and step[key] + 1 < len(candidates[key])]
        if not longer:
            return names
        for key in longer:
            step[key] += 1


def _list_names(source_uri: str) -> list[str]:
    """Return the possible names of a source, the shortest first."""
    _, path = split_uri(source_uri)
    parts = [part for part in PurePosixPath(path).parts if part != "/"] or [path]
    names = [parts[-1].removesuffix(".log") or parts[-1]]
    names += ["/".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
    return [*names, name_source(source_uri), source_uri]
