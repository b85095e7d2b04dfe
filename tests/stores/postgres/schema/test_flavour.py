"""The flavour of a store, and why it was chosen: a pure function of the server's properties."""

import pytest

from puppylog.errors import ConfigurationError
from puppylog.stores.postgres.schema.flavour import (
    Flavour,
    Server,
    check_server,
    choose,
    list_capabilities,
    parse_version,
)

PLAIN = Server(version=170_004, is_standby=False)


def server(**facts: object) -> Server:
    return Server(**{"version": 170_004, "is_standby": False, **facts})  # type: ignore[arg-type] # facts are of many types


TIMESCALE = {"timescaledb": "2.29.2", "timescaledb_license": "timescale"}


@pytest.mark.parametrize(
    ("facts", "flavour", "why"),
    [
        ({}, Flavour.PLAIN, "no TimescaleDB"),
        ({"timescaledb_offered": "2.29.2"}, Flavour.PLAIN, "installed, but not named in shared_preload_libraries"),
        (
            {"timescaledb_offered": "2.29.2", "timescaledb_is_loaded": True},
            Flavour.PLAIN,
            "not created in this database",
        ),
        (TIMESCALE, Flavour.TIMESCALEDB, "continuous aggregates"),
        ({**TIMESCALE, "timescaledb": "2.14.0"}, Flavour.TIMESCALEDB, "2.14.0"),
        ({**TIMESCALE, "timescaledb_license": "apache"}, Flavour.PLAIN, "Apache edition"),
        ({**TIMESCALE, "timescaledb": "2.13.1", "data_nodes": 2}, Flavour.PLAIN, "older than 2.14"),
        ({"citus": "14.0-1"}, Flavour.PLAIN, "--distributed is not given"),
    ],
)
def test_the_flavour_on_one_machine(facts: dict[str, object], flavour: Flavour, why: str) -> None:
    choice = choose(server(**facts), is_distributed=False)
    assert choice.flavour is flavour
    assert why in choice.why


@pytest.mark.parametrize(
    ("facts", "flavour"),
    [
        ({"citus": "14.0-1", "workers": 2}, Flavour.CITUS),
        ({"citus": "12.1-1"}, Flavour.CITUS),
        ({**TIMESCALE, "timescaledb": "2.13.1", "data_nodes": 2}, Flavour.TIMESCALEDB_DISTRIBUTED),
        ({**TIMESCALE, "timescaledb": "2.5.0", "data_nodes": 1}, Flavour.TIMESCALEDB_DISTRIBUTED),
    ],
)
def test_the_flavour_on_several_machines(facts: dict[str, object], flavour: Flavour) -> None:
    assert choose(server(**facts), is_distributed=True).flavour is flavour


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        ({}, "install Citus 12 or later"),
        ({"citus": "11.3-1"}, "Citus 11.3-1 is older than 12; upgrade it"),
        (TIMESCALE, "no longer has data nodes (2.13 was the last with them); use Citus"),
        ({**TIMESCALE, "timescaledb": "2.13.1"}, "attach some with add_data_node"),
        ({**TIMESCALE, "timescaledb": "2.4.2", "data_nodes": 2}, "upgrade it to 2.13, or use Citus"),
        ({"timescaledb": "2.13.1", "timescaledb_license": "apache", "data_nodes": 2}, "need the community edition"),
    ],
)
def test_a_server_that_cannot_distribute_is_refused_with_advice(facts: dict[str, object], advice: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot distribute: ") as refusal:
        choose(server(**facts), is_distributed=True)
    assert advice in refusal.value.message


def test_a_server_that_is_too_old_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"PostgreSQL 13\.9 is older than 14"):
        check_server(server(version=130_009), "postgresql://x/y")
    check_server(PLAIN, "postgresql://x/y")


@pytest.mark.parametrize("flavour", list(Flavour))
def test_every_capability_says_why(flavour: Flavour) -> None:
    for able in list_capabilities(flavour, PLAIN):
        assert able.why
        assert "\n" not in able.why


@pytest.mark.parametrize(("text", "version"), [("2.29.2-dev", (2, 29, 2)), ("14.0-1", (14, 0)), ("x", ())])
def test_a_version_is_its_leading_numbers(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version
