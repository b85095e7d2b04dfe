"""What `puppylog.stores.token_store.TokenStore` promises."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from puppylog.errors import AlreadyExists, NotFound
from puppylog.model.token import NewToken, Scope, Token, hash_token, make_token
from puppylog.stores.base import Store
from support.server import StoreServer


def new(name: str, scope: Scope = Scope.INGEST, *, expires_in: timedelta | None = None) -> NewToken:
    expires_at = None if expires_in is None else datetime.now(UTC) + expires_in
    return NewToken(name, scope, hash_token(make_token()), expires_at)


def fault(token: Token) -> str | None:
    return token.find_fault(datetime.now(UTC))


def test_a_token_is_found_by_its_hash(store: Store) -> None:
    web, grafana = new("web1"), new("grafana", Scope.READ, expires_in=timedelta(days=90))
    created = [store.create_token(web), store.create_token(grafana)]
    assert [(token.name, token.scope, token.expires_at) for token in created] == [
        ("web1", Scope.INGEST, None),
        ("grafana", Scope.READ, grafana.expires_at),
    ]
    assert abs(created[0].created_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (created[0].revoked_at, created[0].used_at, fault(created[0])) == (None, None, None)
    assert store.find_tokens([web.hash, hash_token("another"), grafana.hash]) == {
        web.hash: created[0],
        grafana.hash: created[1],
    }
    assert store.find_tokens([]) == {}
    assert store.list_tokens() == [created[1], created[0]]


def test_a_name_belongs_to_one_token_that_is_accepted(store: Store) -> None:
    first = new("web1")
    created = store.create_token(first)
    with pytest.raises(AlreadyExists):
        store.create_token(new("web1", Scope.ADMIN))
    assert store.create_token(first) == created
    assert store.list_tokens() == [created]


def test_a_token_that_is_not_accepted_is_listed_until_another_gets_its_name(store: Store) -> None:
    first, second = new("web1"), new("web1", Scope.READ)
    created = store.create_token(first)
    assert store.revoke_token("web1")
    assert not store.revoke_token("web1")
    assert [fault(token) for token in (*store.list_tokens(), store.find_tokens([first.hash])[first.hash])] == [
        "revoked",
        "revoked",
    ]
    replaced = store.create_token(second)
    assert replaced.id != created.id
    assert store.list_tokens() == [replaced]
    assert store.find_tokens([first.hash, second.hash]) == {second.hash: replaced}
    with pytest.raises(NotFound, match="cannot find token 'web2': there is none of that name"):
        store.revoke_token("web2")
    expired = store.create_token(new("web2", expires_in=timedelta(seconds=-1)))
    assert [fault(token) for token in (expired, *store.list_tokens())] == ["expired", None, "expired"]
    assert fault(store.create_token(new("web2"))) is None


def test_the_last_use_of_a_token_is_stored_to_the_minute(store: Store) -> None:
    used, unused = store.create_token(new("used")), store.create_token(new("unused"))
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    store.note_token_uses([used.id, used.id, 999_999])
    store.note_token_uses([used.id])
    store.note_token_uses([])
    tokens = {token.name: token for token in store.list_tokens()}
    assert tokens["used"].used_at in {before, before + timedelta(minutes=1)}
    assert tokens["unused"] == unused


def test_two_clients_that_create_a_token_of_one_name_create_one(server: StoreServer) -> None:
    stores = [server.connect() for _ in range(2)]

    def create(store: Store) -> bool:
        try:
            store.create_token(new("web1"))
        except AlreadyExists:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(create, stores)) == [False, True]
    assert len(stores[0].list_tokens()) == 1
