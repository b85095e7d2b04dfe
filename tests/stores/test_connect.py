from pathlib import Path

import pytest

from puppylog.errors import ConfigurationError, PuppylogError, UsageError
from puppylog.stores.connect import connect, parse_duckdb_url, stop


def test_the_path_of_a_url_is_absolute_and_unquoted() -> None:
    assert parse_duckdb_url("duckdb:///var/lib/my%20logs") == Path("/var/lib/my logs")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("duckdb:///a%20b", "/a b"),
        ("duckdb:///a b", "/a b"),
        ("duckdb:///j%C3%BCrgen", "/jürgen"),
        ("duckdb:///jürgen", "/jürgen"),
        ("duckdb:///a#b?c", "/a#b?c"),
        ("duckdb:///a%23b%3Fc", "/a#b?c"),
        ("duckdb:///100%", "/100%"),
        ("duckdb:///100%25", "/100%"),
        ("duckdb:///a%2520b", "/a%20b"),
        ("duckdb:///x%FF", "/x\udcff"),
        ("duckdb:///x\udcff", "/x\udcff"),
        ("duckdb:/var/lib/logs", "/var/lib/logs"),
    ],
)
def test_all_of_a_url_is_the_path_and_percent_signs_may_stand_for_bytes(url: str, path: str) -> None:
    assert parse_duckdb_url(url) == Path(path)


@pytest.mark.parametrize(
    "url", ["", "duckdb:", "duckdb:///a%00b", "duckdb://host/path", "duckdb:relative", "sqlite:///x", "/just/a/path"]
)
def test_a_url_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot open store"):
        connect(url)


def test_a_password_in_a_url_is_not_repeated() -> None:
    for url in (
        "postgresql://me:secret@127.0.0.1:1/logs",
        "postgresql://me:secret@[::1/logs",
        "postgres://a:secret@b:c",
        "postgresql://me:secret%A9@h/logs",
        "postgresql+psycopg://u:secret@h/db",
        "postgresql:/u:secret@h",
        "host=h password=secret",
        "duckdb://me:secret@h/x",
        "postgresql://me:1/secret@127.0.0.1/x",
        "postgresql://127.0.0.1/x?password=secret%00",
        "postgresql://127.0.0.1/x?sslpassword%3Dsecret",
    ):
        with pytest.raises(PuppylogError) as refusal:
            connect(url)
        assert "secret" not in refusal.value.message


def test_a_postgresql_store_has_no_engine_to_stop() -> None:
    with pytest.raises(UsageError, match="cannot stop the engine"):
        stop("postgresql://")


def test_stopping_a_store_that_does_not_exist_does_not_create_it(tmp_path: Path) -> None:
    assert not stop(f"duckdb://{tmp_path}/none")
    assert not (tmp_path / "none").exists()
