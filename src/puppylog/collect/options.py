"""The options of a run: which sources it collects, and how. One value goes from the command line to the tailers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from puppylog.collect.containers import Runtime
from puppylog.collect.pods.access import Access
from puppylog.formats.base import Format
from puppylog.model.labels import Labels
from puppylog.tail.limits import RECORD_WAIT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceOptions:
    """Files that are collected in one way.

    Example:
        >>> from puppylog.formats.registry import find_format
        >>> source = SourceOptions(paths=["/var/log/app/*.log"], format=find_format("plain"))
        >>> CollectOptions(sources=[source], watch=True).sources[0].from_end
        False
    """

    paths: Sequence[str]
    """Paths of files, directories and named pipes, glob patterns, ``-`` for standard input, or texts of a journal, see
    `puppylog.tail.journal.source`."""
    format: Format
    """How lines of files are parsed. A journal has a format of its own."""
    group: str | None = None
    """The log group of the streams; None keeps the group that each stream has."""
    labels: Labels = field(default_factory=dict)
    """The labels of the streams."""
    runtime: Runtime | None = None
    """What writes the files, if they are logs of containers: it gives each stream more labels."""
    pod_labels: Sequence[str] = ()
    """The labels of pods of Kubernetes that become labels of the streams: names, in which ``*`` is any text."""
    from_end: bool = False
    """Read only new lines of files that the store does not know when the run starts, or when the source is added."""
    record_wait_s: float = RECORD_WAIT_S
    """How many seconds a file must not grow until its last record of several lines is complete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectOptions:
    """The options of a `Collector`."""

    sources: Sequence[SourceOptions]
    """A file that several sources name belongs to the first of them."""
    host: str = ""
    """This machine's name in source URIs; empty on a store of one machine."""
    node: str = ""
    """The node of Kubernetes whose pods are asked for their labels; empty: all nodes."""
    cluster: Access | None = None
    """How the API of Kubernetes is reached; None outside of a pod."""
    watch: bool = False
    """Go on after the end of the files, through rotation and truncation, until stopped."""
    waits_for_streams: bool = False
    """Try a stream that another collector follows again later, instead of ending the run."""
