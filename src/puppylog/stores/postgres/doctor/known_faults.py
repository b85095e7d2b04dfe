"""A table of known faults of TimescaleDB's releases: the versions, what may go wrong, and what to do.

The sources are its CHANGELOG and its issues, whose numbers are given. If a fault came with a feature, its range starts
with the release of that feature. A range is half-open: the version that repairs the fault is not in the range.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from puppylog.model.finding import Finding, Health
from puppylog.stores.postgres.schema.flavour import Flavour, parse_version

Version: TypeAlias = tuple[int, int, int]

_BEGINNING: Final[Version] = (0, 0, 0)
_ALWAYS: Final = (0, 1_000_000)
_TIMESCALE: Final = frozenset({Flavour.TIMESCALEDB, Flavour.TIMESCALEDB_DISTRIBUTED})


@dataclass(frozen=True, slots=True)
class KnownFault:
    """A fault of the versions in ``[since, until)`` of TimescaleDB."""

    since: Version
    until: Version
    what: str
    advice: str = ""  # empty: upgrade to ``until``
    state: Health = Health.WARNING  # a note if Puppylog itself does not use what is faulty
    postgres: tuple[int, int] = _ALWAYS  # the versions of PostgreSQL that are affected, such as [150019, 160000)
    flavours: frozenset[Flavour] = _TIMESCALE

    def is_in(self, flavour: Flavour, timescaledb: Version, postgres: int) -> bool:
        least, below = self.postgres
        return flavour in self.flavours and self.since <= timescaledb < self.until and least <= postgres < below


KNOWN_FAULTS: Final = (
    KnownFault(
        (2, 28, 0),
        (2, 29, 0),
        "two refreshes of a metric at once can forget a range that lines have touched, and a refresh that starts at "
        "NULL leaves the last bucket out (#10219, #10221)",
        "upgrade TimescaleDB to 2.29.2; until then give refresh_continuous_aggregate both bounds, one call at a time",
    ),
    KnownFault(
        (2, 22, 0),
        (2, 22, 1),
        "a refresh of a metric that is interrupted leaves it without some of its buckets (#8607)",
    ),
    KnownFault(
        (2, 21, 0),
        (2, 26, 3),
        "two refreshes of overlapping ranges at once leave buckets twice, or leave some out (#9571)",
    ),
    KnownFault(
        (2, 20, 0),
        (2, 29, 2),
        "COUNT(DISTINCT …) can leave out records that are not in the columnstore yet (SkipScan, #10423)",
        "upgrade TimescaleDB to 2.29.2; until then: SET timescaledb.enable_skipscan = off",
    ),
    KnownFault(
        (2, 15, 0),
        (2, 29, 2),
        "IS NULL on records in the columnstore can leave some out, where a column has a min/max sparse index (#9921)",
    ),
    KnownFault(
        (2, 17, 0),
        (2, 28, 3),
        "stddev() together with avg() in one query to the columnstore can be wrong (#10209)",
        "upgrade TimescaleDB to 2.29.2; until then query them separately, as metrics do",
    ),
    KnownFault(
        (2, 17, 0),
        (2, 27, 2),
        "GROUP BY something that is not selected can be wrong, or crash, on the columnstore (#9902)",
        "upgrade TimescaleDB to 2.29.2; until then select what you group by",
    ),
    KnownFault(
        (2, 17, 0),
        (2, 28, 3),
        "DELETE … = ANY(array with NULL) deletes too much from the columnstore (#10254)",
        "Puppylog never runs such a statement; do not run one by hand, or upgrade TimescaleDB to 2.29.2",
        Health.NOTE,
    ),
    KnownFault(
        _BEGINNING,
        (2, 28, 0),
        "where there are more jobs than background workers, one may wait for ever (#9929)",
        "set timescaledb.max_background_workers high enough; TimescaleDB 2.28.0 repairs it",
        Health.NOTE,
    ),
    KnownFault(
        _BEGINNING,
        (2, 29, 1),
        "it lacks security fixes (#10360, #10379, #10386)",
        flavours=frozenset({Flavour.TIMESCALEDB}),
    ),
    KnownFault(
        _BEGINNING,
        (2, 14, 0),
        "releases with data nodes no longer get fixes, not even for security",
        "use Citus for several machines; let only trusted users connect to these nodes",
        Health.NOTE,
        flavours=frozenset({Flavour.TIMESCALEDB_DISTRIBUTED}),
    ),
    KnownFault(
        (2, 11, 1),
        (2, 11, 2),
        "metrics over more than one data node fail with 'no aggref found' (#5916)",
        "upgrade TimescaleDB to 2.13.1",
        flavours=frozenset({Flavour.TIMESCALEDB_DISTRIBUTED}),
    ),
    KnownFault(
        _BEGINNING,
        (2, 29, 0),  # which no longer runs on PostgreSQL 15
        "jobs fail with 'cannot drop portal \"\" while it is being set up' on this release of PostgreSQL: no metric is "
        "refreshed, no alert evaluated",
        "use PostgreSQL 15.18, with which they run; without data nodes, PostgreSQL 16 or later",
        postgres=(150_019, 160_000),
    ),
)


def list_faults(flavour: Flavour, timescaledb: str, postgres: int) -> Sequence[KnownFault]:
    """Return the faults that affect a store of this flavour on versions such as ``2.28.1`` and 170004."""
    numbers = (*parse_version(timescaledb), 0, 0, 0)
    version = (numbers[0], numbers[1], numbers[2])
    return [fault for fault in KNOWN_FAULTS if fault.is_in(flavour, version, postgres)]


def find_faults(flavour: Flavour, timescaledb: str, postgres: int) -> list[Finding]:
    """Return a finding for each fault that affects the store, or one finding that there is none."""
    subject = f"TimescaleDB {timescaledb}"
    faults = list_faults(flavour, timescaledb, postgres)
    if not faults:
        return [Finding(subject, Health.OK, "no fault of this version is known that concerns this store")]
    return [Finding(subject, fault.state, fault.what, fault.advice or _advise(fault.until)) for fault in faults]


def _advise(until: Version) -> str:
    return f"upgrade TimescaleDB to {'.'.join(map(str, until))}"
