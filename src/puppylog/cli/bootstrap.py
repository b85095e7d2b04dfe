"""``puppylog bootstrap``: install or upgrade the schema in a PostgreSQL database; show what was found and chosen."""

from typing import Final

import click
import pyarrow as pa

from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import write_table
from puppylog.errors import UsageError
from puppylog.model.period import format_period, parse_period
from puppylog.settings import Settings
from puppylog.stores.address import is_remote
from puppylog.stores.connect import is_postgresql

_NEVER: Final = "never"
_HOUR_S: Final = 3600


@click.command(
    epilog=examples(
        "puppylog bootstrap --store postgresql://admin@db/logs",
        "puppylog bootstrap --store postgresql://admin@db/logs --roles --drop-after 90d",
        "PGHOST=db PGUSER=admin PGDATABASE=logs puppylog bootstrap --store postgresql://",
    )
)
@click.option("--distributed", is_flag=True, help="Spread records over several machines: Citus, or data nodes.")
@click.option(
    "--roles", is_flag=True, help="Create the roles puppylog_writer and puppylog_reader, for logins to be members of."
)
@click.option(
    "--drop-after", metavar="PERIOD", help="Drop records that are older than this, such as 90d. Default: never."
)
@click.option(
    "--columnar-after",
    metavar="PERIOD",
    help="Convert chunks that are older than this to columnar storage, if the store can; or never. Default: 2d.",
)
@output_options
@store_options
@pass_settings
def bootstrap(
    settings: Settings, *, distributed: bool, roles: bool, drop_after: str | None, columnar_after: str | None
) -> None:
    """Install Puppylog in a PostgreSQL database, or upgrade it.

    Run it as the role that is to own the store. Running it again, or twice at the same time, does no harm. What the URL
    leaves out comes from PG* variables, ~/.pgpass and service files. The embedded store needs no bootstrap.
    """
    if not is_postgresql(settings.store.url):
        cause = (
            "run it where the server's store is" if is_remote(settings.store.url) else "the embedded store needs none"
        )
        raise UsageError("bootstrap", "", cause, advice="name a database with --store postgresql://…")
    from puppylog.stores.postgres.schema.bootstrap import Lifetimes  # noqa: PLC0415 - only this command loads libpq
    from puppylog.stores.postgres.schema.bootstrap import bootstrap as install  # noqa: PLC0415 - as above

    done = install(
        settings.store.url,
        is_distributed=distributed,
        lifetimes=Lifetimes(_parse_lifetime(drop_after), _parse_lifetime(columnar_after)),
        with_roles=roles,
    )
    rows = [
        ("store", done.name, f"PostgreSQL {done.server.version_text}"),
        ("flavour", done.flavour.value, done.why),
        ("schema", str(done.schema_version), _describe_schema(done.found_version, done.schema_version)),
        ("records kept", _describe_lifetime(done.drop_after_s, "for ever"), "--drop-after"),
        ("columns after", _describe_lifetime(done.columnar_after_s, _NEVER), "--columnar-after"),
        ("roles", ", ".join(done.roles) or "none", "" if done.roles else "--roles creates a writer and a reader"),
        *(
            (capability.name, "yes" if capability.is_available else "no", capability.why)
            for capability in done.capabilities
        ),
    ]
    names = ("what", "is", "because")
    write_table(pa.table([pa.array(column, pa.string()) for column in zip(*rows, strict=True)], list(names)), settings)
    for note in done.notes:
        tell(settings, note)


def _parse_lifetime(text: str | None) -> int | None:
    """Return seconds; 0 for never, None if the option is not given."""
    if text is None:
        return None
    return 0 if text.strip().lower() == _NEVER else parse_period(text, "lifetime", min_s=_HOUR_S)


def _describe_lifetime(seconds: int | None, otherwise: str) -> str:
    return otherwise if seconds is None else format_period(seconds)


def _describe_schema(found: int, now: int) -> str:
    if found == 0:
        return "installed"
    return "already installed" if found == now else f"upgraded from {found}"
