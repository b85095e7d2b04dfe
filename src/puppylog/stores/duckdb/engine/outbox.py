"""The outbox in the engine: rows for transitions, what became of rows, silences and acknowledgements."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa

from puppylog.model.alert import State
from puppylog.model.outbox import Segment, Turn, list_new_rows
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.judge import DueAlert
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import silence_of, values_of_silence

_QUERIES = load_queries("puppylog.stores.duckdb", "evidence.sql")

_KEPT_US: Final = 90 * 86_400 * US_PER_S
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT: Final = pa.timestamp("us", "UTC")
_ADDED: Final = pa.schema(
    [
        ("no", pa.int64()),
        ("history_id", pa.int64()),
        ("alert_id", pa.int32()),
        ("segment", pa.string()),
        ("contact", pa.string()),
        ("kind", pa.string()),
        ("evaluated_at", _INSTANT),
        ("episode_at", _INSTANT),
        ("value", pa.float64()),
        ("reason", pa.string()),
    ]
)
_OUTCOMES: Final = pa.schema(
    [
        ("id", pa.int64()),
        ("state", pa.string()),
        ("at", _INSTANT),
        ("attempts", pa.int32()),
        ("error", pa.string()),
        ("due_at", _INSTANT),
    ]
)


def add_notifications(
    connection: Connection,
    alerts: Sequence[DueAlert],
    transitions: pa.Table,
    forgotten: Iterable[Mapping[str, Any]],
) -> None:
    """Add the rows of an evaluation's transitions to the outbox, by the rule of `model.outbox`.

    Args:
        connection: the writer's connection.
        alerts: the evaluated alerts.
        transitions: the rows of the query ``insert_transitions``.
        forgotten: the rows of the query ``forgotten_segments``.
    """
    unresolved = _read_unresolved(connection, [each.stored.id for each in alerts])
    told = [each for each in alerts if each.stored.alert.contacts or each.stored.id in unresolved]
    if not told:
        return
    from pyarrow import compute as pc  # noqa: PLC0415 - takes 8 MB of memory, and many stores tell nobody

    told_ids = pa.array([each.stored.id for each in told], pa.int32())
    turns: defaultdict[int, list[Turn]] = defaultdict(list)
    for row in transitions.filter(pc.is_in(transitions["alert_id"], told_ids)).sort_by("id").to_pylist():
        at, state = _EPOCH + timedelta(microseconds=row["at_us"]), State(row["to_state"])
        turns[row["alert_id"]].append(Turn(row["id"], row["segment"], at, state, row["value"]))
    gone: defaultdict[int, list[Segment]] = defaultdict(list)
    for segment in forgotten:
        gone[segment["alert_id"]].append(segment["segment"])
    added: list[dict[str, Any]] = []
    for each in told:
        alert_id = each.stored.id
        rows = list_new_rows(
            turns[alert_id],
            each.stored.alert.contacts,
            unresolved.get(alert_id, {}),
            forgotten=frozenset(gone[alert_id]),
            at=_EPOCH + timedelta(microseconds=each.due.last_us),
        )
        added += [
            {
                "no": len(added) + no,
                "history_id": row.history_id,
                "alert_id": alert_id,
                "segment": row.segment,
                "contact": row.contact,
                "kind": row.kind.value,
                "evaluated_at": row.evaluated_at,
                "episode_at": row.episode_at,
                "value": row.value,
                "reason": row.reason,
            }
            for no, row in enumerate(rows)
        ]
    if added:
        with connection.table("added", pa.Table.from_pylist(added, _ADDED)):
            connection.run(_QUERIES["insert_notifications"])


def _read_unresolved(connection: Connection, alert_ids: Sequence[int]) -> dict[int, dict[Segment, dict[str, datetime]]]:
    """Return, by alert and segment, the contacts whose newest row is a problem, with the beginning of its episode."""
    with connection.table("asked", pa.table({"alert_id": pa.array(alert_ids, pa.int32())})):
        rows = connection.rows(_QUERIES["unresolved"])
    found: dict[int, dict[Segment, dict[str, datetime]]] = {}
    for row in rows:
        told = found.setdefault(row["alert_id"], {}).setdefault(row["segment"], {})
        told[row["contact"]] = row["episode_at"]
    return found


def clear(connection: Connection, now_us: int) -> None:
    """Delete what is 90 days old, and the acknowledgements of states that have ended."""
    for query in ("clear_evidence", "clear_notifications", "clear_silences"):
        connection.run(_QUERIES[query], {"oldest_us": now_us - _KEPT_US})
    connection.run(_QUERIES["clear_acknowledgements"])


def settle(connection: Connection, outcomes: Sequence[Mapping[str, Any]]) -> None:
    """Store what became of rows. Each outcome has the fields of `Outcome`, with instants in RFC 3339."""
    instants = ("at", "due_at")
    rows = [{**row, **{name: _read_instant(row[name]) for name in instants}} for row in outcomes]
    with connection.table("outcomes", pa.Table.from_pylist(rows, _OUTCOMES)):
        connection.run(_QUERIES["settle"])


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def list_silences(connection: Connection) -> list[dict[str, Any]]:
    """Return the fields of all silences, in the order of their names."""
    return connection.rows(_QUERIES["list_silences"])


def set_silence(connection: Connection, silence: Mapping[str, Any]) -> bool:
    """Create or replace a silence; return whether anything has changed. Instants are in RFC 3339."""
    known = {row["name"]: row for row in list_silences(connection)}.get(silence["name"])
    if known is None:
        connection.run(_QUERIES["insert_silence"], silence)
        return True
    instants = {name: _read_instant(silence[name]) for name in ("starts_at", "ends_at")}
    if known == {**silence, **instants}:
        return False
    connection.run(_QUERIES["update_silence"], silence)
    return True


def end_silence(connection: Connection, name: str, at: str) -> bool:
    """End a silence at ``at`` unless it ends before; delete it if it has not begun then. Return whether it exists."""
    known = {row["name"]: row for row in list_silences(connection)}.get(name)
    if known is None:
        return False
    if known["starts_at"] >= datetime.fromisoformat(at):
        connection.run(_QUERIES["delete_silence"], {"name": name})
    else:
        connection.run(_QUERIES["end_silence"], {"name": name, "at": at})
    return True


def acknowledge(connection: Connection, alert_id: int, segment: str | None, author: str, comment: str) -> int:
    """Acknowledge the problems of an alert, or of one segment; return their number."""
    values = {"id": alert_id, "segment": segment}
    connection.run(_QUERIES["delete_earlier_acknowledgements"], values)
    return len(connection.rows(_QUERIES["acknowledge"], {**values, "author": author, "comment": comment}))


def list_actions(engine: Engine) -> dict[str, Callable[..., object]]:
    """Return the actions of the engine that are about notifications, by name."""

    def list_plain() -> object:
        with engine.read() as connection:
            return [values_of_silence(silence_of(row)) for row in list_silences(connection)]

    def acknowledge_alert(alert: str, segment: str | None, author: str, comment: str) -> int:
        def work(connection: Connection) -> int:
            alert_id = DEFINITIONS.get_alert(connection, alert).id
            return acknowledge(connection, alert_id, segment, author, comment)

        return engine.write(work)

    return {
        "settle": lambda outcomes: engine.write(lambda connection: settle(connection, outcomes)),
        "set_silence": lambda silence: engine.write(lambda connection: set_silence(connection, silence)),
        "end_silence": lambda name, at: engine.write(lambda connection: end_silence(connection, name, at)),
        "list_silences": list_plain,
        "acknowledge": acknowledge_alert,
    }
