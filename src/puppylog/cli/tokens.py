"""``puppylog tokens``: create, list and revoke the tokens of the server's clients."""

import sys
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click
import pyarrow as pa
from click.shell_completion import CompletionItem

from puppylog.cli.complete import ask_store, matching
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import write_record, write_rows
from puppylog.cli.tables import Layout
from puppylog.errors import ConfigurationError, NotFound
from puppylog.model.period import parse_period
from puppylog.model.token import NewToken, Scope, Token, hash_token, is_token, make_token, parse_token_name
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

_INSTANT: Final = pa.timestamp("us", "UTC")
_LISTED: Final = pa.schema(
    [
        ("name", pa.string()),
        ("scope", pa.string()),
        ("state", pa.string()),
        ("created_at", _INSTANT),
        ("expires_at", _INSTANT),
        ("used_at", _INSTANT),
        ("revoked_at", _INSTANT),
    ]
)
_CREATED: Final = pa.schema(
    [("name", pa.string()), ("scope", pa.string()), ("expires_at", _INSTANT), ("token", pa.string())]
)
_LAYOUT: Final = Layout(
    expendable=("revoked_at", "created_at", "used_at"),
    headings={"created_at": "created", "expires_at": "expires", "used_at": "last used", "revoked_at": "revoked"},
)


def _complete_tokens(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the names of tokens that can be revoked, each once."""
    given = ctx.params.get(parameter.name or "") or ()

    def list_names(store: Store) -> list[str]:
        return [token.name for token in store.list_tokens() if token.revoked_at is None and token.name not in given]

    return matching(ask_store(ctx, list_names), incomplete)


@click.group(
    epilog=examples(
        "puppylog tokens create web1 --scope ingest",
        "puppylog tokens create grafana --scope read --expires 90d > grafana.token",
        "puppylog tokens list",
        "puppylog tokens revoke web1",
    )
)
def tokens() -> None:
    """Create, list and revoke tokens of the server's clients.

    The server is puppylog up with --listen. A store keeps only hashes of tokens.
    """


@tokens.command(
    epilog=examples(
        "puppylog tokens create web1 --scope ingest",
        "(umask 077; puppylog tokens create web1 --scope ingest --expires 90d > /etc/puppylog/token)",
        "puppylog tokens create web1 --scope ingest --token-file /run/secrets/web1",
    )
)
@click.argument("name", metavar="NAME")
@click.option(
    "--scope",
    type=click.Choice([scope.value for scope in Scope]),
    required=True,
    help="What it allows. ingest: store lines. read: search, count, and run SQL that only reads. admin: both, and "
    "change metrics, alerts, groups and tokens.",
)
@click.option("--expires", metavar="PERIOD", help="It ends after this time, such as 90d. Default: never.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Accept the token in this file, which is ppl_ and 43 letters, digits, '_' or '-', instead of making one, and "
    "print nothing. Without effect if the store accepts it already; another token of this name is replaced. For "
    "secrets that a deployment makes.",
)
@output_options
@store_options
@pass_settings
def create(settings: Settings, *, name: str, scope: str, expires: str | None, token_file: Path | None) -> None:
    """Create a token, and print it. It is shown this once: the store keeps only its hash.

    Only the token is written to stdout, so a pipe or a file gets nothing else. A client passes it as PUPPYLOG_TOKEN, or
    in the header Authorization: Bearer. A revoked or expired token of the same name is replaced in the list.
    """
    parse_token_name(name)
    expires_at = None
    if expires is not None:
        expires_at = settings.clock() + timedelta(seconds=parse_period(expires, "--expires"))
    if token_file is not None:
        _accept(settings, name, Scope(scope), _read_token(token_file), expires_at)
        return
    token = make_token()
    with connect(settings.store) as store:
        created = store.create_token(NewToken(name, Scope(scope), hash_token(token), expires_at))
        try:
            _show(settings, created, token)
        except OSError:
            store.revoke_token(name)  # nobody has seen it
            raise
    tell(settings, f"created token {name}; it is shown only once")


def _read_token(path: Path) -> str:
    """Return the token in a file. Space around it is ignored.

    Raises:
        ConfigurationError: the file cannot be read, or has no token. The message does not repeat the text.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it is not ASCII"
        raise ConfigurationError("read", f"token file {path}", cause) from None
    if not is_token(token):
        cause = "it has no token: ppl_ and 43 letters, digits, '_' or '-'"
        raise ConfigurationError("use", f"token file {path}", cause, "make one with: puppylog tokens create NAME")
    return token


def _accept(settings: Settings, name: str, scope: Scope, token: str, expires_at: datetime | None) -> None:
    """Make the store accept a token that a deployment has made, under this name and with this scope.

    Raises:
        ConfigurationError: the store has the token under another name or scope, or no longer accepts it.
    """
    hash_ = hash_token(token)
    with connect(settings.store) as store:
        found = store.find_tokens([hash_]).get(hash_)
        if found is None:
            with suppress(NotFound):
                store.revoke_token(name)
            store.create_token(NewToken(name, scope, hash_, expires_at))
            tell(settings, f"token {name} is accepted")
            return
    fault = found.find_fault(settings.clock())
    if fault is not None or (found.name, found.scope) != (name, scope):
        cause = f"the store has it as {found.name} with the scope {found.scope}{f', and it is {fault}' * bool(fault)}"
        raise ConfigurationError("accept", f"token {name} with the scope {scope}", cause, "make another token")
    tell(settings, f"token {name} is already accepted")


def _show(settings: Settings, created: Token, token: str) -> None:
    if settings.output == "table":
        sys.stdout.write(f"{token}\n")
    else:
        row = {"name": created.name, "scope": created.scope.value, "expires_at": created.expires_at, "token": token}
        write_record(row, _CREATED, settings)
    sys.stdout.flush()


@tokens.command("list", epilog=examples("puppylog tokens list -o json"))
@output_options
@store_options
@pass_settings
def list_(settings: Settings) -> None:
    """List the tokens, with their last use to the minute. Revoked and expired ones stay in the list."""
    with connect(settings.store) as store:
        found = store.list_tokens()
    if not found:
        tell(settings, "no tokens yet; create one: puppylog tokens create NAME --scope ingest")
    now = settings.clock()
    write_rows([_row(token, now) for token in found], _LISTED, settings, _LAYOUT)


def _row(token: Token, now: datetime) -> dict[str, object]:
    state = token.find_fault(now) or "accepted"
    return {name: state if name == "state" else getattr(token, name) for name in _LISTED.names}


@tokens.command(epilog=examples("puppylog tokens revoke web1"))
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=_complete_tokens)
@store_options
@pass_settings
def revoke(settings: Settings, names: tuple[str, ...]) -> None:
    """Revoke tokens. A server refuses them within five seconds, and ends their sessions.

    In place of a name, a token can be given that was found where it should not be.
    """
    with connect(settings.store) as store:
        for given in names:
            name = _find_name(store, given) if is_token(given) else parse_token_name(given)
            was_accepted = store.revoke_token(name)
            tell(settings, f"revoked token {name}" if was_accepted else f"token {name} is already revoked")


def _find_name(store: Store, token: str) -> str:
    found = store.find_tokens([hash_token(token)])
    if not found:
        raise NotFound("find", "this token", "the store does not have it")
    return next(iter(found.values())).name
