"""What a shell completes: names that the store knows, formats, and files.

A completion prints nothing but the words, starts no engine, and gives up after ANSWER_S: a person waits for the cursor.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import click
from click.shell_completion import CompletionItem

from puppylog.cli.given_options import settings_of

if TYPE_CHECKING:  # every command imports this module, and most complete nothing
    from puppylog.monitor.names import Kind
    from puppylog.stores.base import Store

ANSWER_S: Final = 0.7
"""How many seconds a completion waits for the store."""

Completer: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Let the shell complete files and directories."""
    del ctx, parameter  # any option that takes files
    return [CompletionItem(incomplete, type="file")]


def complete_formats(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the formats that have a name."""
    from puppylog.formats.file.folder import list_files  # noqa: PLC0415 - only the completion of a format needs it
    from puppylog.formats.listed_formats import AUTO, LISTED  # noqa: PLC0415 - likewise

    del ctx, parameter  # any option that takes a format
    return matching(list(dict.fromkeys((AUTO, *LISTED, *list_files()))), incomplete)


def _complete_names(kind: "Kind") -> Completer:
    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from puppylog.monitor.names import list_names  # noqa: PLC0415 - only a completion needs it

        names = ask_store(ctx, lambda store: list_names(store, kind))
        given = ctx.params.get(parameter.name or "")  # a command that takes several names is given each once
        return matching([name for name in names if not isinstance(given, tuple) or name not in given], incomplete)

    return complete


complete_metrics: Final = _complete_names("metric")
complete_alerts: Final = _complete_names("alert")
complete_groups: Final = _complete_names("group")


def matching(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """Return the words that begin with ``incomplete``."""
    return [CompletionItem(word) for word in words if word.startswith(incomplete)]


def ask_store(ctx: click.Context, ask: "Callable[[Store], Sequence[str]]") -> Sequence[str]:
    """Return the answer of the store that the words before name; nothing if it has none within ANSWER_S.

    The thread that waits for the store may still wait when this returns. The process must not wait for the thread.
    """
    answers: list[Sequence[str]] = []

    def run() -> None:
        from puppylog.stores.connect import connect_running  # noqa: PLC0415 - only a completion of names needs it

        try:
            store = connect_running(settings_of(ctx).store, timeout_s=ANSWER_S)
            if store is not None:
                with store:
                    answers.append(ask(store))
        except Exception:  # noqa: BLE001, S110 - after any error, the shell must complete nothing and show no message
            pass

    thread = threading.Thread(target=run, name="completion", daemon=True)
    thread.start()
    thread.join(ANSWER_S)
    return answers[0] if answers else []
