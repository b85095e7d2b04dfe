"""Each fault is listed from the first version that has it to the last version before its repair, and for no other."""

import pytest

from puppylog.model.finding import Health
from puppylog.stores.postgres.doctor.known_faults import KNOWN_FAULTS, KnownFault, find_faults, list_faults
from puppylog.stores.postgres.schema.flavour import Flavour

PG17 = 170_010


def has(sign: str, version: str, *, flavour: Flavour = Flavour.TIMESCALEDB, postgres: int = PG17) -> bool:
    return any(sign in fault.what for fault in list_faults(flavour, version, postgres))


@pytest.mark.parametrize(
    ("sign", "before", "first", "last", "repaired"),
    [
        ("#10219", "2.27.2", "2.28.0", "2.28.3", "2.29.0"),
        ("#8607", "2.21.4", "2.22.0", "2.22.0", "2.22.1"),
        ("#9571", "2.20.3", "2.21.0", "2.26.2", "2.26.3"),
        ("#10423", "2.19.3", "2.20.0", "2.29.1", "2.29.2"),
        ("#9921", "2.14.2", "2.15.0", "2.29.1", "2.29.2"),
        ("#10209", "2.16.1", "2.17.0", "2.28.2", "2.28.3"),
        ("#9902", "2.16.1", "2.17.0", "2.27.1", "2.27.2"),
        ("#10254", "2.16.1", "2.17.0", "2.28.2", "2.28.3"),
    ],
)
def test_a_fault_is_listed_for_the_versions_that_have_it(
    sign: str, before: str, first: str, last: str, repaired: str
) -> None:
    assert [has(sign, version) for version in (before, first, last, repaired)] == [False, True, True, False]


@pytest.mark.parametrize(("sign", "last", "repaired"), [("#9929", "2.27.2", "2.28.0"), ("#10360", "2.29.0", "2.29.1")])
def test_a_fault_without_a_first_version_is_listed_for_every_version_before_its_repair(
    sign: str, last: str, repaired: str
) -> None:
    assert [has(sign, version) for version in ("2.14.0", last, repaired)] == [True, True, False]


@pytest.mark.parametrize(("version", "is_in"), [("2.11.0", False), ("2.11.1", True), ("2.11.2", False)])
def test_a_fault_of_data_nodes_is_listed_only_for_stores_with_data_nodes(version: str, is_in: bool) -> None:
    assert has("#5916", version, flavour=Flavour.TIMESCALEDB_DISTRIBUTED) is is_in
    assert not has("#5916", version)


@pytest.mark.parametrize(
    ("postgres", "is_in"), [(150_018, False), (150_019, True), (150_020, True), (160_000, False), (140_019, False)]
)
def test_a_fault_may_affect_only_some_releases_of_postgresql(postgres: int, is_in: bool) -> None:
    for flavour, version in ((Flavour.TIMESCALEDB_DISTRIBUTED, "2.13.1"), (Flavour.TIMESCALEDB, "2.28.3")):
        assert has("cannot drop portal", version, flavour=flavour, postgres=postgres) is is_in
    assert not has("cannot drop portal", "2.29.0", postgres=postgres)


@pytest.mark.parametrize(("version", "is_in"), [("2.28", True), ("2.28.1-dev", True), ("2.29", False)])
def test_a_version_may_be_short_or_have_a_suffix(version: str, is_in: bool) -> None:
    assert has("#10219", version) is is_in


@pytest.mark.parametrize("flavour", [Flavour.PLAIN, Flavour.CITUS])
def test_a_store_that_does_not_use_timescaledb_has_none_of_its_faults(flavour: Flavour) -> None:
    assert list_faults(flavour, "2.28.1", PG17) == []


@pytest.mark.parametrize("fault", KNOWN_FAULTS, ids=lambda fault: fault.what[:40])
def test_the_range_and_the_state_of_a_fault_are_valid(fault: KnownFault) -> None:
    assert fault.since < fault.until
    assert fault.postgres[0] < fault.postgres[1]
    assert fault.state in (Health.NOTE, Health.WARNING)


def test_a_fault_is_a_finding_with_advice() -> None:
    found = find_faults(Flavour.TIMESCALEDB, "2.22.0", PG17)
    assert {one.subject for one in found} == {"TimescaleDB 2.22.0"}
    assert all(one.advice for one in found)
    [interrupted] = [one for one in found if "#8607" in one.found]
    assert (interrupted.state, interrupted.advice) == (Health.WARNING, "upgrade TimescaleDB to 2.22.1")


def test_a_version_without_known_faults_has_a_finding() -> None:
    [found] = find_faults(Flavour.TIMESCALEDB, "2.29.2", PG17)
    assert (found.subject, found.state) == ("TimescaleDB 2.29.2", Health.OK)
