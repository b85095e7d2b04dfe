"""``puppylog bootstrap``: its output, and the arguments that it refuses before it connects."""

import json

import pytest

from support.inprocess import InProcess


def test_bootstrap_shows_what_it_found_and_chose(cli: InProcess, postgres_url: str) -> None:
    first = cli("bootstrap", "--store", postgres_url, "--drop-after", "90d", "-o", "json")
    assert first.code == 0, first
    rows = {row["what"]: (row["is"], row["because"]) for row in json.loads(first.out)}
    assert rows["flavour"] == ("plain", "no TimescaleDB: native partitions, rollup tables")
    assert rows["schema"][1] == "installed"
    assert rows["records kept"] == ("90d", "--drop-after")
    assert rows["jobs in the server"][0] == "no"
    again = cli("bootstrap", "--store", postgres_url, "-o", "json")
    rows = {row["what"]: (row["is"], row["because"]) for row in json.loads(again.out)}
    assert rows["schema"][1] == "already installed"
    assert rows["records kept"][0] == "90d"


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (("--store", "duckdb:///x"), "cannot bootstrap: the embedded store needs none"),
        (("--store", "postgresql://me:secret@127.0.0.1/x"), "a password does not belong"),
        (("--store", "postgresql://127.0.0.1/x?password=secret"), "a password does not belong"),
        (("--store", "postgresql://127.0.0.1/x?sslpassword=secret"), "a password does not belong"),
        (
            ("--store", "postgresql://127.0.0.1/x?sslp%61ssword=secret"),
            "a password does not belong on the command line",
        ),
        (("--store", "postgresql://127.0.0.1/x?password%3Dsecret"), "a password does not belong"),
        (("--store", "postgresql://me:p/secret@127.0.0.1/x"), "a password does not belong"),
        (("--store", "postgresql://me:p@secret@127.0.0.1/x"), "a password does not belong"),
        (("--store", "duckdb://me:secret@127.0.0.1/x"), "a password does not belong"),
        (
            ("--store", "postgresql://127.0.0.1/x?oauth_client_secret=secret"),
            "a password does not belong on the command",
        ),
        (("--store", "host=127.0.0.1 password = secret"), "a password does not belong"),
        (("--store", "postgresql://127.0.0.1/x", "--drop-after", "soon"), "cannot read lifetime 'soon'"),
        (
            ("--store", "postgresql://127.0.0.1/x", "--drop-after", "5m"),
            "cannot use lifetime '5m': it must be at least 1h",
        ),
    ],
)
def test_bootstrap_refuses_wrong_arguments(cli: InProcess, arguments: tuple[str, ...], cause: str) -> None:
    ran = cli("bootstrap", *arguments)
    assert ran.code == 2
    assert cause in ran.err
    assert "secret" not in ran.err
    assert ran.err.count("\n") == 1


def test_bootstrap_says_what_a_distributed_store_needs(cli: InProcess, postgres_url: str) -> None:
    ran = cli("bootstrap", "--store", postgres_url, "--distributed")
    assert ran.code == 78
    assert "neither Citus nor TimescaleDB is in this database; install Citus 12 or later" in ran.err
