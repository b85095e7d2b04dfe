"""Findings about an embedded store: its engine, its metrics, and which streams are followed now."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from puppylog.errors import StoreDamaged
from puppylog.model.derived import DERIVED
from puppylog.model.finding import Finding, Health, format_age
from puppylog.model.number import format_bytes
from puppylog.stores.base import RecordReader, StoreInfo
from puppylog.stores.doctor import (
    COMPARED_S,
    Capability,
    StoreFindings,
    findings_of,
    judge_derived,
    limit_s,
    list_capability_findings,
)
from puppylog.stores.duckdb.client.claims import iter_claimed
from puppylog.stores.duckdb.client.doctor_levels import find_wrong_level
from puppylog.stores.duckdb.client.doctor_retention import judge_retention
from puppylog.stores.duckdb.client.doctor_sums import compare_sums
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "doctor.sql")

_CAPABILITIES: Final = (
    Capability("columns for old records", True, "all records are in columns"),
    Capability("several machines", False, "others reach it through 'puppylog up --listen', or need a PostgreSQL store"),
)

COMPARE_ALL_S: Final = 10.0
"""For how many seconds the doctor compares all metrics together. It says which of them it did not reach."""

_VERIFY_S: Final = 10.0
"""How many seconds the engine reads the database. A database that is known to be damaged is read completely."""
_DAMAGED: Final = (
    "no line is stored until it is repaired: end the processes that use it, put a copy of its directory in place and "
    "run 'puppylog doctor' again; 'puppylog sql' reads what is left"
)

_FULL_BYTES: Final = 1 << 20
"""With less free space than this, DuckDB cannot write: it needs blocks of 256 KiB for the database and for its log."""
_NEARLY_FULL_BYTES: Final = 64 << 20
"""With less free space than this, a large batch may not fit into the spool. The small batches of a growing file fit."""
_FREE_SPACE: Final = "free some, or move the store to a larger disk; what is not stored stays in its file until then"


def list_findings(
    reader: RecordReader,
    info: StoreInfo,
    directory: StoreDirectory,
    engine_pid: int,
    verify: Callable[[float], Mapping[str, int]],
) -> StoreFindings:
    """Return the findings about a connected store.

    Args:
        reader: the store.
        info: the kind and version of the store.
        directory: the directory of the store.
        engine_pid: the process number of the engine.
        verify: makes the engine read the database for the given number of seconds. Returns the number of ``rows`` in
            the database and the number of rows that were ``read``; raises StoreDamaged.
    """
    engine = (
        f"DuckDB {info.version} in {directory.path}, schema version {info.schema_version}; engine process {engine_pid}"
    )
    findings = [
        Finding("server", Health.OK, engine),
        *list_capability_findings(_CAPABILITIES),
        Finding(
            "jobs", Health.OK, "the engine runs them while it has a client; what fails is told in " + str(directory.log)
        ),
        _judge_disk(directory),
        *findings_of("database", lambda: [_verify(verify)]),
        *findings_of("retention", lambda: [judge_retention(reader, directory)]),
        *findings_of("metrics", lambda: _iter_metric_findings(reader, directory)),
    ]
    return StoreFindings(findings, frozenset(iter_claimed(directory.streams)))


def _judge_disk(directory: StoreDirectory) -> Finding:
    """Return the finding about free disk space, without the reserve that file systems keep for root."""
    disk = os.statvfs(directory.path)
    free_bytes = disk.f_bavail * disk.f_frsize
    found = f"{format_bytes(free_bytes)} are free on the disk of {directory.path}"
    if disk.f_files > 0 and disk.f_favail == 0:
        found = f"the disk of {directory.path} can hold no further file: all of its inodes are used"
        return Finding("disk", Health.WRONG, found, _FREE_SPACE)
    if free_bytes < _FULL_BYTES:
        found = f"the disk of {directory.path} is full: {free_bytes:,} bytes are free, and no line can be stored"
        return Finding("disk", Health.WRONG, found, _FREE_SPACE)
    if free_bytes < _NEARLY_FULL_BYTES:
        return Finding("disk", Health.WARNING, found, _FREE_SPACE)
    return Finding("disk", Health.OK, found)


def _verify(verify: Callable[[float], Mapping[str, int]]) -> Finding:
    try:
        verified = verify(_VERIFY_S)
    except StoreDamaged as error:
        return Finding("database", Health.WRONG, error.message, _DAMAGED)
    if verified["read"] == verified["rows"]:
        return Finding("database", Health.OK, f"all of its {verified['rows']:,} rows can be read")
    found = f"{verified['read']:,} of its {verified['rows']:,} rows were read in {_VERIFY_S:.0f} s, without a fault"
    return Finding("database", Health.OK, found)


def _iter_metric_findings(reader: RecordReader, directory: StoreDirectory) -> Iterator[Finding]:
    """Yield the findings of all metrics. Each is compared with the records for its part of the time that is left."""
    metrics = reader.query(_QUERIES["metric_ages"]).to_pylist()
    deadline = time.monotonic() + COMPARE_ALL_S
    for no, metric in enumerate(metrics):
        if metric["statistic"] == DERIVED:
            yield judge_derived(metric["name"], metric["property"])
            continue
        judged = _judge_metric(reader, directory, metric)
        if judged.state is Health.OK:
            part_s = min(COMPARED_S, (deadline - time.monotonic()) / (len(metrics) - no))
            yield from findings_of(judged.subject, partial(_compare, reader, metric, judged, part_s))
        else:
            yield judged


def _compare(reader: RecordReader, metric: Mapping[str, Any], judged: Finding, limit_s: float) -> list[Finding]:
    if limit_s <= 0:
        skipped = f"not compared with the records: the {COMPARE_ALL_S:g} s for all metrics are over"
        return [replace(judged, found=f"{judged.found}; {skipped}")]
    wrong_level = find_wrong_level(reader, metric)
    if wrong_level is not None:
        return [wrong_level]
    compared = compare_sums(reader, metric, limit_s)
    if compared.state is Health.OK:
        return [replace(compared, found=f"{judged.found}; {compared.found}")]
    return [compared]


def _judge_metric(reader: RecordReader, directory: StoreDirectory, metric: Mapping[str, Any]) -> Finding:
    """Return whether records wait for a refresh. A metric is not refreshed, and not late, while no line is stored."""
    subject, late_s = f"metric {metric['name']}", limit_s(metric["refresh_s"])
    if metric["error"] is not None:
        found = f"its last refresh failed: {metric['error']}"
        advice = "the engine retries; until then new buckets are missing, or reading the metric fails as well"
        return Finding(subject, Health.WRONG, found, advice)
    age = f"refreshed {format_age(metric['age_s'])} ago" if metric["is_refreshed"] else "not refreshed yet"
    if metric["age_s"] > late_s and (metric["is_touched"] or _is_behind(reader, metric, late_s)):
        advice = (
            f"the end of {directory.log} says why; 'puppylog down' ends the engine if no other command uses the store"
        )
        return Finding(subject, Health.WRONG, f"{age}, while newer records wait for a refresh", advice)
    return Finding(subject, Health.OK, age)


def _is_behind(reader: RecordReader, metric: Mapping[str, Any], late_s: float) -> bool:
    # A refresh leaves out the current bucket and the one before it: both are computed when they are read.
    values = {"watermark": metric["watermark"], "settled_s": late_s + 2 * metric["period_s"]}
    return bool(reader.query(_QUERIES["is_behind"], values)["is_behind"][0].as_py())
