"""The calls of a remote store whose arguments and answers are JSON: what a token must allow, and what is done."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from puppylog import __version__
from puppylog.model.notification import NotificationState, Outcome
from puppylog.model.silence import Silence, check_silence
from puppylog.model.stream import StreamReport
from puppylog.model.token import NewToken, Token, parse_token_name
from puppylog.model.token import Scope as TokenScope
from puppylog.serve.context import Scope
from puppylog.stores import values
from puppylog.stores.base import Store
from puppylog.stores.remote.protocol import PROTOCOL
from puppylog.stores.rows import silence_of

Arguments: TypeAlias = Mapping[str, Any]
Lane: TypeAlias = Literal["read", "write", "define"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    scope: Scope
    lane: Lane  # of the threads that run it: neither slow queries nor new metrics keep collectors waiting
    work: Callable[[Store, Arguments], object]


def greet(store: Store, max_body: int) -> object:
    """Return what a client has to know of the server and its store.

    Args:
        store: behind the server.
        max_body: the size of the largest body that the server takes, in bytes.
    """
    return {
        "protocol": PROTOCOL,
        "version": __version__,
        "info": store.info,
        "full_rows": store.full_rows,
        "max_body": max_body,
    }


def _find_known_files(store: Store, asked: Arguments) -> object:
    identities = [(int(device), int(inode)) for device, inode in asked["identities"]]
    heads = [(int(size), str(head)) for size, head in asked["heads"]]
    return store.find_known_files(str(asked["source_prefix"]), identities, heads)


def _set_labels(store: Store, asked: Arguments) -> None:
    store.set_labels(values.to_labels(asked["labels"]))


def _report(store: Store, asked: Arguments) -> None:
    store.report([StreamReport(**plain) for plain in asked["reports"]])


def _list_findings(store: Store, _asked: Arguments) -> object:
    found = store.list_findings()
    return {"findings": list(found.findings), "claimed": sorted(found.claimed)}


def _settle(store: Store, asked: Arguments) -> None:
    store.settle([_to_outcome(plain) for plain in asked["outcomes"]])


def _to_outcome(plain: Arguments) -> Outcome:
    due_at = plain["due_at"]
    return Outcome(
        int(plain["id"]),
        NotificationState(plain["state"]),
        datetime.fromisoformat(plain["at"]),
        int(plain["attempts"]),
        plain["error"],
        None if due_at is None else datetime.fromisoformat(due_at),
    )


def _set_silence(store: Store, asked: Arguments) -> bool:
    silence: Silence = silence_of(asked["silence"])
    check_silence(silence)
    return store.set_silence(silence)


def _end_silence(store: Store, asked: Arguments) -> None:
    store.end_silence(str(asked["name"]), datetime.fromisoformat(asked["at"]))


def _acknowledge(store: Store, asked: Arguments) -> int:
    return store.acknowledge(asked["alert"], asked["segment"], asked["author"], asked["comment"])


def _create_token(store: Store, asked: Arguments) -> Token:
    new = asked["new"]
    expires_at = None if new["expires_at"] is None else datetime.fromisoformat(new["expires_at"])
    return store.create_token(
        NewToken(parse_token_name(new["name"]), TokenScope(new["scope"]), new["hash"], expires_at)
    )


def _named(method: str) -> Callable[[Store, Arguments], object]:
    """Return work that calls a method of the store with the name of a group, metric or alert."""
    return lambda store, asked: getattr(store, method)(str(asked["name"]))


CALLS: Final[Mapping[str, Call]] = {
    # storing lines
    "open_files": Call("ingest", "write", lambda store, asked: store.open_files(values.to_new_files(asked["new"]))),
    "find_known_files": Call("ingest", "write", _find_known_files),
    "find_files": Call("ingest", "write", lambda store, asked: list(store.find_files(asked["file_ids"]).values())),
    "find_requests": Call("ingest", "write", lambda store, asked: list(store.find_requests(asked["digests"]).values())),
    "report": Call("ingest", "write", _report),
    "set_labels": Call("ingest", "write", _set_labels),
    # reading
    "list_metrics": Call("read", "read", lambda store, _: list(store.list_metrics())),
    "list_alerts": Call("read", "read", lambda store, _: list(store.list_alerts())),
    "list_silences": Call("read", "read", lambda store, _: list(store.list_silences())),
    "get_retention": Call("read", "read", lambda store, _: store.get_retention()),
    "list_findings": Call("read", "read", _list_findings),
    # definitions
    "create_group": Call("admin", "define", _named("create_group")),
    "delete_group": Call("admin", "define", _named("delete_group")),
    "create_metric": Call("admin", "define", lambda store, a: store.create_metric(values.to_metric(a["metric"]))),
    "update_metric": Call("admin", "define", lambda store, a: store.update_metric(values.to_metric(a["metric"]))),
    "delete_metric": Call("admin", "define", _named("delete_metric")),
    "create_alert": Call("admin", "define", lambda store, a: store.create_alert(values.to_alert(a["alert"]))),
    "update_alert": Call("admin", "define", lambda store, a: store.update_alert(values.to_alert(a["alert"]))),
    "delete_alert": Call("admin", "define", _named("delete_alert")),
    "set_retention": Call(
        "admin", "define", lambda store, asked: store.set_retention(values.to_retention(asked["retention"]))
    ),
    "forget_stream": Call("admin", "define", lambda store, asked: store.forget_stream(str(asked["source_uri"]))),
    # tokens
    "create_token": Call("admin", "write", _create_token),
    "revoke_token": Call("admin", "write", _named("revoke_token")),
    "list_tokens": Call("admin", "read", lambda store, _: list(store.list_tokens())),
    "find_tokens": Call("admin", "read", lambda store, asked: store.find_tokens(asked["hashes"])),
    "note_token_uses": Call("admin", "write", lambda store, asked: store.note_token_uses(asked["token_ids"])),
    # notifications
    "settle": Call("admin", "write", _settle),
    "set_silence": Call("admin", "write", _set_silence),
    "end_silence": Call("admin", "write", _end_silence),
    "acknowledge": Call("admin", "write", _acknowledge),
}
"""The calls by name. Each is safe to repeat: a repeated call does nothing more, and its answer may differ."""
