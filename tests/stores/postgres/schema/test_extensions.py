"""The extensions of a new store: one that decides the flavour is created, or the installation is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from puppylog.errors import StoreRefused
from puppylog.stores.postgres.schema import bootstrap as installing
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.schema.extensions import iter_wanted
from puppylog.stores.postgres.schema.flavour import Server, read_server
from puppylog.stores.postgres.sessions.session import Session

BARE = Server(version=180_006, is_standby=False, database="logs")
TIMESCALE = replace(BARE, timescaledb_offered="2.29.2", timescaledb_is_loaded=True)
CITUS = replace(BARE, citus_offered="14.0-1", citus_is_loaded=True, citus_columnar_offered=True)
CRON = replace(BARE, pg_cron_offered="1.6", pg_cron_database="logs")


@pytest.mark.parametrize(
    ("server", "is_distributed", "wanted"),
    [
        (BARE, False, {}),
        (TIMESCALE, False, {"timescaledb": True}),
        (replace(TIMESCALE, timescaledb_is_loaded=False), False, {}),
        (replace(TIMESCALE, timescaledb="2.29.2"), False, {}),
        (replace(TIMESCALE, timescaledb_offered="2.9.3"), False, {"timescaledb": False}),
        (replace(TIMESCALE, timescaledb_offered="2.13.1"), True, {"timescaledb": True}),
        (replace(TIMESCALE, citus="14.0-1"), False, {}),
        (CITUS, True, {"citus": True, "citus_columnar": False}),
        (CITUS, False, {}),
        (CRON, False, {"pg_cron": False}),
        (replace(CRON, pg_cron_offered="1.4-1"), False, {}),
        (replace(CRON, pg_cron_database="postgres"), False, {}),
    ],
)
def test_the_wanted_extensions_and_which_of_them_are_needed(
    server: Server, is_distributed: bool, wanted: dict[str, bool]
) -> None:
    found = iter_wanted(server, is_new=True, is_distributed=is_distributed)
    assert {extension.name: extension.is_needed for extension in found} == wanted


def test_an_installed_store_gets_only_a_scheduler() -> None:
    everything = replace(CRON, timescaledb_offered="2.29.2", timescaledb_is_loaded=True, citus_is_loaded=True)
    found = iter_wanted(everything, is_new=False, is_distributed=True)
    assert [extension.name for extension in found] == ["pg_cron"]


def test_a_database_is_refused_if_a_loaded_extension_cannot_be_created(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(session: Session) -> Server:
        return replace(read_server(session), timescaledb_offered="2.29.2", timescaledb_is_loaded=True)

    monkeypatch.setattr(installing, "read_server", read)
    with pytest.raises(StoreRefused, match="timescaledb is loaded, and cannot be created: ") as refusal:
        bootstrap(postgres_url)
    assert "CREATE EXTENSION timescaledb" in refusal.value.message
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT to_regnamespace('puppylog')").fetchone() == (None,)


@pytest.fixture
def install_cron(postgres_url: str) -> Callable[[str], None]:
    """Return a function that installs a fake pg_cron of a version, which accepts the schedules of that version."""

    def install(version: str) -> None:
        takes_seconds = version != "1.4-1"
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("SET allow_system_table_mods = on")
            connection.execute("CREATE SCHEMA cron")
            connection.execute("CREATE TABLE cron.job (jobname text, schedule text)")
            connection.execute(
                "INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) "
                "SELECT 9999, 'pg_cron', 10, oid, false, %s FROM pg_namespace WHERE nspname = 'cron'",
                [version],
            )
            body = "INSERT INTO cron.job SELECT $1, $2 WHERE 1 / CAST($2 NOT LIKE '%seconds' AS integer) = 1"
            body = "INSERT INTO cron.job VALUES ($1, $2)" if takes_seconds else body
            connection.execute(
                f"CREATE FUNCTION cron.schedule(text, text, text) RETURNS void LANGUAGE sql AS $$ {body} $$".encode()
            )

    return install


def scheduled(url: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute("SELECT jobname FROM cron.job ORDER BY 1")]


def test_a_pg_cron_without_schedules_of_seconds_is_not_used(
    postgres_url: str, install_cron: Callable[[str], None]
) -> None:
    install_cron("1.4-1")
    installed = bootstrap(postgres_url)
    (jobs,) = (able for able in installed.capabilities if able.name == "jobs in the server")
    assert not jobs.is_available
    assert jobs.why.startswith("pg_cron 1.4-1 is older than 1.5, and has no schedules of seconds: one collector")
    assert scheduled(postgres_url) == []


def test_a_pg_cron_with_schedules_of_seconds_gets_the_jobs(
    postgres_url: str, install_cron: Callable[[str], None]
) -> None:
    install_cron("1.5")
    installed = bootstrap(postgres_url)
    (jobs,) = (able for able in installed.capabilities if able.name == "jobs in the server")
    assert (jobs.is_available, jobs.why) == (True, "pg_cron")
    assert scheduled(postgres_url) == ["puppylog days", "puppylog jobs", "puppylog tidy"]
