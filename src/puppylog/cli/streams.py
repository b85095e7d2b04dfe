"""``puppylog streams``: list the streams of a store, and forget those that are gone."""

from typing import Final

import click
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, matching
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import write_table
from puppylog.cli.tables import Layout
from puppylog.errors import NotFound, UsageError
from puppylog.model.number import format_bytes, format_number
from puppylog.monitor.collectors import FollowedStream, StreamState, list_followed_streams
from puppylog.monitor.streams import list_named_streams
from puppylog.settings import Settings
from puppylog.stores.connect import connect

_LAYOUT: Final = Layout(
    expendable=("stream_id", "files", "labels", "group", "stored_at"),
    paths=("source",),
    headings={"bytes": "stored", "stored_at": "last stored"},
    shown={"files": format_number, "bytes": format_bytes},
)
_FOLLOWED: Final = frozenset({StreamState.OK, StreamState.BEHIND})


def _complete_sources(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the streams that can be forgotten."""
    del parameter
    names = ask_store(ctx, lambda store: [stream.name for stream in list_followed_streams(store) if _is_over(stream)])
    return matching(names, incomplete)


@click.group(epilog=examples("puppylog streams list", "puppylog streams forget web1:/var/log/pods/gone.log"))
def streams() -> None:
    """List the streams, and forget those that are gone.

    A stream is one source of lines, such as a log with its rotated files.
    """


@streams.command("list")
@output_options
@store_options
@pass_settings
def list_(settings: Settings) -> None:
    """List all streams: their group, their files, and how much of them is stored."""
    with connect(settings.store) as store:
        write_table(list_named_streams(store), settings, _LAYOUT)


@streams.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, shell_complete=_complete_sources)
@store_options
@pass_settings
def forget(settings: Settings, sources: tuple[str, ...]) -> None:
    """Forget streams that are gone: collector status and doctor no longer show them.

    SOURCE is the name of a stream as collector status shows it. Its records stay, and so do the positions in its files:
    if a file comes back, no line is stored twice, and the stream is shown again. To delete the records, too, use
    'puppylog collector forget'.
    """
    with connect(settings.store) as store:
        known = {stream.name: stream for stream in list_followed_streams(store)}
        for source in sources:
            if source not in known:
                raise NotFound(
                    "forget", f"stream {source}", "no collector has reported it", "see puppylog collector status"
                )
            if not _is_over(known[source]):
                raise UsageError("forget", f"stream {source}", "a collector follows it", "stop the collector first")
        for source in sources:
            store.forget_stream(known[source].source_uri)
            tell(settings, f"forgot {source}; its records stay")


def _is_over(stream: FollowedStream) -> bool:
    return stream.state not in _FOLLOWED
