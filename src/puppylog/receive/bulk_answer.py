"""The answer to a ``_bulk`` request: an item for each action, in compact JSON, whose text senders search.

Vector and Fluent Bit look for ``"errors":true`` and ``"errors":false`` as they are written here.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

_CREATED: Final = 201


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why an action was not done."""

    status: int  # of HTTP
    type: str  # one of Elasticsearch's
    reason: str


@dataclass(slots=True)
class BulkAnswer:
    """The operations of a request, and those that failed, by the number of the item from 0."""

    runs: list[tuple[str, int]] = field(default_factory=list)  # operations, and how many follow one another
    errors: dict[int, ItemError] = field(default_factory=dict)
    count: int = 0

    def add(self, operation: str, count: int = 1) -> None:
        """Add items of successful operations."""
        self.count += count
        if self.runs and self.runs[-1][0] == operation:
            count += self.runs.pop()[1]
        self.runs.append((operation, count))

    def add_error(self, operation: str, error: ItemError) -> None:
        """Add the item of an operation that failed."""
        self.errors[self.count] = error
        self.add(operation)

    def to_json(self) -> str:
        """Return a short form, which is kept for identical requests: a large request has many equal items."""
        numbers: dict[ItemError, int] = {}
        failed: list[list[int]] = []  # the first item, how many follow it with the same error, the number of the error
        for at, error in sorted(self.errors.items()):
            number = numbers.setdefault(error, len(numbers))
            if failed and failed[-1][0] + failed[-1][1] == at and failed[-1][2] == number:
                failed[-1][1] += 1
            else:
                failed.append([at, 1, number])
        described = [[error.status, error.type, error.reason] for error in numbers]
        return json.dumps([self.runs, described, failed], separators=(",", ":"))

    @classmethod
    def from_json(cls, written: str) -> Self:
        """Return the answer of a short form."""
        runs, described, failed = json.loads(written)
        answer = cls()
        for operation, count in runs:
            answer.add(operation, count)
        errors = [ItemError(status, type_, reason) for status, type_, reason in described]
        for start, count, number in failed:
            answer.errors.update(dict.fromkeys(range(start, start + count), errors[number]))
        return answer

    def render(self, took_ms: int, filter_path: Sequence[str] = ()) -> str:
        """Return the body of the answer.

        Args:
            took_ms: milliseconds from the request to its commit.
            filter_path: patterns of the parts that the sender asks for, as ``items.*.error``; empty for everything.
        """
        parts = [f'"took":{took_ms}'] if not filter_path or "took" in filter_path else []
        parts.append(f'"errors":{"true" if self.errors else "false"}')
        of_items = [pattern for pattern in filter_path if pattern.partition(".")[0] in {"items", "*", "**"}]
        if not filter_path or of_items:
            only_errors = bool(of_items) and all(pattern.endswith(".error") for pattern in of_items)
            parts.append(f'"items":[{",".join(self._list_items(only_errors=only_errors))}]')
        return "{" + ",".join(parts) + "}"

    def _list_items(self, *, only_errors: bool) -> list[str]:
        items: list[str] = []
        for operation, count in self.runs:
            start = len(items)
            items += [f'{{"{operation}":{{"status":{_CREATED}}}}}'] * count
            for at in range(start, len(items)) if self.errors else ():
                if at in self.errors:
                    items[at] = _render_error(operation, self.errors[at])
        return [items[at] for at in sorted(self.errors)] if only_errors else items


@lru_cache(maxsize=100)
def _render_error(operation: str, error: ItemError) -> str:
    described = {"status": error.status, "error": {"type": error.type, "reason": error.reason}}
    return json.dumps({operation: described}, separators=(",", ":"))
