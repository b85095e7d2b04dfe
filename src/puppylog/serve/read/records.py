"""``/api/v1/records``: the records that a query finds, a page at a time."""

import re
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from puppylog.monitor.budget import Budget
from puppylog.monitor.pages import Order, PageCursor, find_page
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.choice import read_search
from puppylog.serve.read.record_rows import Record, make_records
from puppylog.serve.read.resource import Answer, Asked, BudgetedChoice, Instant, Reader, Resource
from puppylog.serve.refusal import Refusal

_CURSOR: Final = re.compile(r"(newest|oldest)~([^~]{1,60})~([0-9]{1,18})~([0-9]{1,18})")


class RecordsParameters(BudgetedChoice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/records``."""

    limit: Annotated[int, Meta(ge=1, le=10_000, description="The greatest number of records.")] = 100
    order: Annotated[Order, Meta(description="Which records come first.")] = "newest"
    cursor: Annotated[str, Meta(description="The cursor of an answer: the records that come after it.")] | None = None


class Records(Answer, kw_only=True):
    """Some of the records that a query finds."""

    records: list[Record]
    has_more: Annotated[
        bool, Meta(description="Whether more records come after these, or may come: see `searched_to`.")
    ]
    cursor: Annotated[
        str | None, Meta(description="Where the next page begins; null without records, unless the search ended early.")
    ]
    searched_to: Annotated[
        Instant | None,
        Meta(
            description="Where the search ended because the time of `budget_s` was over: it has found all records up "
            "to this instant, and the cursor goes on there. Null: the search did not end early."
        ),
    ] = None


def find_records(asked: Asked[RecordsParameters], reader: Reader) -> Records:
    """Return a page of the records that a query finds."""
    parameters = asked.parameters
    after = None if parameters.cursor is None else _read_cursor(parameters.cursor, parameters.order)
    search = read_search(asked, reader)
    page = find_page(
        reader,
        search,
        records=parameters.limit,
        order=parameters.order,
        after=after,
        budget=None if parameters.budget_s is None else Budget(parameters.budget_s),
    )
    cursor = page.cursor
    return Records(
        records=make_records(reader, page.records),
        has_more=page.has_more,
        cursor=None if cursor is None else f"{parameters.order}~{cursor.at}~{cursor.file_id}~{cursor.line_offset}",
        searched_to=None if page.searched_to is None else format_instant(page.searched_to),
    )


def _read_cursor(written: str, order: Order) -> PageCursor:
    found = _CURSOR.fullmatch(written)
    if found is None or not _is_instant(found[2]) or max(int(found[3]) >> 31, int(found[4]) >> 63):
        raise Refusal(400, "it is not the cursor of an answer", place="cursor")
    if found[1] != order:
        raise Refusal(400, f"it is of an answer whose order is {found[1]}", place="cursor")
    return PageCursor(found[2], int(found[3]), int(found[4]))


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


RESOURCES: Final = (
    Resource(
        path="/api/v1/records",
        summary="The records that a query finds, a page at a time",
        parameters=RecordsParameters,
        answer=Records,
        work=find_records,
        rows="records",
    ),
)
