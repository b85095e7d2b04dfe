"""What commands share that change the stored records of a stream: they claim the stream, and ask before they begin."""

import sys

import click
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, matching
from puppylog.errors import StreamBusy
from puppylog.model.number import format_number
from puppylog.model.source import name_source
from puppylog.model.stream import Stream
from puppylog.monitor.streams import list_source_uris
from puppylog.stores.base import Store


def complete_streams(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the streams of the store."""
    del parameter
    names = ask_store(ctx, lambda store: [name_source(uri) for uri in list_source_uris(store)])
    return matching(names, incomplete)


def claim(store: Store, source_uri: str, verb: str) -> Stream:
    """Claim a stream, and return it with the positions of its files. The caller closes the stream.

    Args:
        store: has the stream.
        source_uri: of the stream.
        verb: what is done to the stream, for the error.

    Raises:
        StreamBusy: a collector follows the stream.
    """
    try:
        (stream,) = store.open_streams([source_uri])
    except StreamBusy as error:
        raise StreamBusy(
            verb, f"stream {name_source(source_uri)}", error.cause, "stop that collector first; it may be puppylog up"
        ) from None
    return stream


def confirm(question: str) -> None:
    """Ask the user on a terminal; do nothing if standard input is not a terminal.

    Raises:
        click.Abort: the user does not say yes.
    """
    if is_asked():
        click.confirm(question, abort=True, err=True)


def describe_rows(records: int, rejects: int) -> str:
    """Return numbers of records and of rejected lines as text.

    >>> describe_rows(1, 2000)
    '1 record and 2,000 rejected lines'
    """
    return (
        f"{format_number(records)} record{'' if records == 1 else 's'} and "
        f"{format_number(rejects)} rejected line{'' if rejects == 1 else 's'}"
    )


def is_asked() -> bool:
    """Return whether a person can answer a question."""
    return sys.stdin is not None and sys.stdin.isatty()
