"""A bootstrap whose transaction meets another one's on the same server is repeated."""

import pytest

from puppylog.errors import StoreUnavailable
from puppylog.stores.postgres.schema import bootstrap as bootstrapping
from puppylog.stores.postgres.schema import roles
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.postgres.store import PostgresStore
from support.lines import Source, records

FAIL = "DO $$ BEGIN RAISE internal_error USING MESSAGE = 'tuple concurrently updated'; END $$"


@pytest.mark.parametrize("times", [1, 4])
def test_an_installation_is_repeated_a_few_times(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    failures = [FAIL] * times
    grant = roles.grant

    def grant_later(session: Session, *asked: object) -> None:
        if failures:
            session.run(failures.pop())
        grant(session, *asked)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(roles, "grant", grant_later)
    monkeypatch.setattr(bootstrapping, "_PAUSES_S", (0.0, 0.0, 0.0))
    if times == 1:
        bootstrap(postgres_url)
        with PostgresStore(postgres_url) as store:
            assert Source(store).append(records(1)).records == 1
    else:
        with pytest.raises(StoreUnavailable, match="tuple concurrently updated"):
            bootstrap(postgres_url)
