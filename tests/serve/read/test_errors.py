"""What an answer says about a request that was refused."""

import pytest

from puppylog.errors import (
    AlreadyExists,
    NotFound,
    PuppylogError,
    QueryError,
    SearchError,
    StoreDamaged,
    StoreForbidden,
    StoreFull,
    StoreUnavailable,
)
from puppylog.serve.read.errors import describe_refusal
from puppylog.serve.refusal import Refusal, refuse


@pytest.mark.parametrize(
    ("error", "status", "is_transient"),
    [
        (StoreUnavailable("use", "the store", "it is away"), 503, True),
        (StoreFull("use", "the store", "it is away"), 503, True),
        (StoreDamaged("use", "the store", "it is away"), 500, False),
        (StoreForbidden("use", "the store", "it is away"), 403, False),
        (NotFound("use", "the store", "it is away"), 404, False),
        (AlreadyExists("use", "the store", "it is away"), 409, False),
        (QueryError("use", "the store", "it is away"), 400, False),
    ],
)
def test_the_class_of_an_error_says_whether_the_request_may_succeed_later(
    error: PuppylogError, status: int, is_transient: bool
) -> None:
    refusal = refuse(error)
    fault = describe_refusal(refusal).error
    assert refusal.status == status
    assert (fault.message, fault.advice) == ("cannot use the store: it is away", None)
    assert fault.is_transient is is_transient
    assert (fault.retry_after_s is not None) is is_transient


def test_advice_is_apart_from_the_message() -> None:
    fault = describe_refusal(refuse(NotFound("find", "the dog", "it sleeps", "wake it"))).error
    assert (fault.message, fault.advice) == ("cannot find the dog: it sleeps", "wake it")
    fault = describe_refusal(refuse(NotFound("find", "the dog", advice="wake it"))).error
    assert (fault.message, fault.advice) == ("cannot find the dog", "wake it")


def test_a_column_is_counted_in_units_of_utf_16() -> None:
    error = SearchError("no", written="🐶🐶 x", at=3)
    assert describe_refusal(Refusal(400, error.message, place="q", error=error)).error.column == 5
    assert describe_refusal(Refusal(400, "no")).error.column is None
