"""``puppylog collector forget``: delete streams with their records."""

import click

from puppylog.cli.claiming import claim, complete_streams, confirm, describe_rows
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, host_option, pass_settings, store_options
from puppylog.model.source import name_source
from puppylog.monitor.streams import count_rows, find_source_uri
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.tui.clean import clean


@click.command(
    epilog=examples(
        "puppylog collector forget /var/log/wrong.log",
        "puppylog collector forget web1:/var/log/nginx/access.log --yes",
        "puppylog collector forget syslog://192.0.2.7 --yes",
    )
)
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, shell_complete=complete_streams)
@click.option("--yes", is_flag=True, help="Do not ask.")
@host_option
@store_options
@pass_settings
def forget(settings: Settings, *, sources: tuple[str, ...], yes: bool) -> None:
    """Delete streams with their records.

    SOURCE is a path, or the name of a stream as 'puppylog streams list' shows it. Its records, its rejected lines and
    the positions in its files are deleted, and metrics no longer count the records. The history of alerts stays, and so
    do files of an archive. If a collector reads the source again, it begins at the start of the file.

    No collector may follow the stream. To keep the records, and only hide a stream that is gone, use 'puppylog streams
    forget'. To read a stream again in another format, use 'puppylog collector reread'.
    """
    with connect(settings.store) as store:
        host = settings.host if store.is_shared else ""
        for source_uri in [find_source_uri(store, source, host) for source in sources]:
            _forget(settings, store, source_uri, asks=not yes)


def _forget(settings: Settings, store: Store, source_uri: str, *, asks: bool) -> None:
    name = clean(name_source(source_uri))
    stream = claim(store, source_uri, "forget")
    try:
        stored = count_rows(store, stream.stream_id).values()
        records, rejects = sum(rows.records for rows in stored), sum(rows.rejects for rows in stored)
        if asks:
            confirm(f"Delete {describe_rows(records, rejects)} of {name}?")
        deleted = store.delete_stream(stream.stream_id)
        gone = describe_rows(deleted.records, deleted.rejects)
        tell(settings, f"deleted {gone} of {name}; archived files are not changed")
    finally:
        store.close_stream(stream.stream_id)
