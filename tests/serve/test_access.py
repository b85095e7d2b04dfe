"""Who may do what, asked of a server that runs."""

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from puppylog.config.listen import ListenConfig
from puppylog.model.address import Address
from puppylog.model.token import NewToken, Scope, hash_token, make_token
from puppylog.serve import endpoints
from puppylog.serve.context import Context
from puppylog.serve.context import Scope as ScopeName
from puppylog.serve.credentials import COOKIE
from puppylog.serve.guard import guarded
from support.embedded import wait_until
from support.served import LOOPBACK, Answer, Served

EVERYWHERE = ListenConfig(address=Address("0.0.0.0", 0), hosts=("127.0.0.1",))  # noqa: S104 - who may use it is tested
SCOPES: Sequence[ScopeName] = ("ingest", "read", "admin")


def routes(context: Context) -> Sequence[BaseRoute]:
    """Return a route for each scope, which answers who asks."""

    async def answer(request: Request) -> Response:
        caller = request.state.caller
        return JSONResponse([caller.token_id != "", caller.name])

    return [Route(f"/needs/{scope}", guarded(context, scope, answer), methods=["GET", "POST"]) for scope in SCOPES]


@pytest.fixture(scope="module", autouse=True)
def routes_for_scopes() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endpoints, "ALL", (*endpoints.ALL, routes))
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that other machines reach, and that has seen that its store has no tokens yet."""
    with Served(tmp_path_factory.mktemp("served"), listen=EVERYWHERE) as served:
        wait_until(lambda: bool(served.reported), what="the warning")
        yield served


def create(served: Served, name: str, scope: Scope = Scope.INGEST, *, expires_in_s: float | None = None) -> str:
    """Create a token, unless there is one of that name, and return it."""
    token = make_token()
    expires_at = None if expires_in_s is None else datetime.now(UTC) + timedelta(seconds=expires_in_s)
    with served.own.connect() as store:
        store.create_token(NewToken(name, scope, hash_token(token), expires_at))
    return token


def is_used(served: Served, name: str) -> bool:
    with served.own.connect() as store:
        return next(token.used_at for token in store.list_tokens() if token.name == name) is not None


def ask(served: Served, scope: str = "ingest", token: str | None = None, **headers: str) -> Answer:
    sent = {} if token is None else {"authorization": f"Bearer {token}"}
    return served.send("GET", f"/needs/{scope}", headers={**sent, **headers})


def test_a_request_without_a_token_is_refused_and_told_how(served: Served) -> None:
    answer = ask(served)
    assert (answer.status, answer.text) == (
        401,
        "a token is needed, such as in the header Authorization: Bearer ppl_…\n",
    )
    assert answer.headers["www-authenticate"] == 'Bearer realm="puppylog"'


def test_a_server_without_tokens_says_so_at_its_start(served: Served) -> None:
    (sentence,) = (sentence for sentence in served.reported if "no tokens" in sentence)
    assert sentence == (
        "the store has no tokens, so the server refuses every request; create one with: "
        "puppylog tokens create NAME --scope ingest"
    )


def test_a_scope_allows_what_it_says_and_admin_allows_all(served: Served) -> None:
    tokens = {scope: create(served, f"scope-{scope}", Scope(scope)) for scope in SCOPES}
    found = {name: [ask(served, scope, token).status for scope in SCOPES] for name, token in tokens.items()}
    assert found == {"ingest": [200, 403, 403], "read": [403, 200, 403], "admin": [200, 200, 200]}
    refused = ask(served, "read", tokens["ingest"])
    assert refused.text == "token 'scope-ingest' has the scope ingest, and read is needed\n"
    assert refused.headers["www-authenticate"] == ('Bearer realm="puppylog", error="insufficient_scope", scope="read"')


def test_a_caller_is_known_by_the_name_of_its_token(served: Served) -> None:
    token = create(served, "known")
    assert json.loads(ask(served, "ingest", token).text) == [True, "known"]


def test_a_token_comes_as_password_and_as_api_key_too(served: Served) -> None:
    token = create(served, "packed")
    pair = base64.b64encode(f"anyone:{token}".encode()).decode()
    assert [ask(served, authorization=f"{scheme} {pair}").status for scheme in ("Basic", "ApiKey", "Bearer")] == [
        200,
        200,
        401,
    ]


def test_a_revoked_token_and_its_sessions_are_refused_within_five_seconds(served: Served) -> None:
    token = create(served, "revoked")
    answer = served.send("POST", "/login", json.dumps({"token": token}).encode(), {"content-type": "application/json"})
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert [ask(served, "ingest", token).status, ask(served, "ingest", cookie=cookie).status] == [200, 200]
    with served.own.connect() as store:
        store.revoke_token("revoked")
    wait_until(lambda: ask(served, "ingest", token).status == 401, what="the refusal", within_s=5)
    refused = ask(served, "ingest", token)
    assert refused.text == "the token is revoked\n"
    assert refused.headers["www-authenticate"] == 'Bearer realm="puppylog", error="invalid_token"'
    assert ask(served, "ingest", cookie=cookie).status == 401


def test_an_expired_token_is_refused_at_once(served: Served) -> None:
    token = create(served, "expiring", expires_in_s=1.5)
    assert ask(served, "ingest", token).status == 200
    wait_until(lambda: ask(served, "ingest", token).status == 401, what="the end", within_s=3)
    assert ask(served, "ingest", token).text == "the token is expired\n"


def test_an_unknown_token_is_refused_and_not_repeated(served: Served) -> None:
    unknown = make_token()
    refused = ask(served, "ingest", unknown)
    assert (refused.status, refused.text) == (401, "the token is unknown\n")
    assert not any(unknown in sentence for sentence in served.reported)


def test_a_session_takes_the_place_of_a_token_until_it_ends(served: Served) -> None:
    token = create(served, "page", Scope.READ)
    answer = served.send("POST", "/login", f"token={token}".encode())
    assert answer.status == 204
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert set(attributes) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=strict"}
    assert token not in answer.headers["set-cookie"]
    assert ask(served, "read", cookie=cookie).status == 200
    assert ask(served, "ingest", cookie=cookie).status == 403
    assert ask(served, "read", cookie=f"{COOKIE}=another").status == 401
    assert ask(served, "read", make_token(), cookie=cookie).status == 401
    foreign = served.send("POST", "/needs/read", headers={"cookie": cookie, "origin": "https://example.org"})
    assert foreign.status == 403
    ended = served.send("POST", "/logout", headers={"cookie": cookie})
    assert ended.status == 204
    assert 'puppylog_session="";' in ended.headers["set-cookie"]
    assert ask(served, "read", cookie=cookie).status == 401


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ""),
        (b"token=ppl_short", ""),
        (b"token=%ff%fe", ""),
        (b"&".join(b"a=1" for _ in range(100)), ""),
        (b"[]", "application/json"),
        (b'{"token": 1}', "application/json"),
        (b"[" * 9000, "application/json"),
        (b"\xff", "application/json"),
    ],
)
def test_a_log_in_without_a_token_is_refused(served: Served, body: bytes, kind: str) -> None:
    answer = served.send("POST", "/login", body, {"content-type": kind} if kind else {})
    assert (answer.status, answer.text) == (
        400,
        "body: the field token has no token; a token is ppl_ and 43 characters\n",
    )


def test_a_log_in_with_a_wrong_token_or_from_another_site_is_refused(served: Served) -> None:
    assert served.send("POST", "/login", f"token={make_token()}".encode()).status == 401
    token = create(served, "elsewhere")
    answer = served.send("POST", "/login", f"token={token}".encode(), {"sec-fetch-site": "cross-site"})
    assert answer.status == 403


def test_many_wrong_tokens_are_refused_and_the_right_one_is_not(tmp_path: Path) -> None:
    with Served(tmp_path, listen=EVERYWHERE) as served:
        token, wrong = create(served, "right"), make_token()
        assert ask(served, "ingest", token).status == 200
        wait_until(lambda: is_used(served, "right"), what="the use")
        assert [ask(served, "ingest", wrong).status for _ in range(15)] == [401] * 15
        statuses = [ask(served, "ingest", make_token()).status for _ in range(12)]
        assert statuses[:9] == [401] * 9
        assert statuses[-1] == 429
        refused = ask(served, "ingest", make_token())
        assert refused.text == "too many wrong tokens from this address\n"
        assert 0 < int(refused.headers["retry-after"]) <= 6
        assert ask(served, "ingest", token).status == 200


def test_a_loopback_server_needs_a_token_once_there_is_one_and_ever_after(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        assert [ask(served, scope).status for scope in SCOPES] == [200, 200, 200]
        assert json.loads(ask(served).text) == [False, ""]
        assert ask(served, authorization="Basic YTpi").status == 200
        token = create(served, "first")
        wait_until(lambda: ask(served).status == 401, what="the first token", within_s=5)
        assert ask(served, "ingest", token).status == 200
        with served.own.connect() as store:
            store.revoke_token("first")
        served.server.close()
        served.start()
        assert ask(served).status == 401
        assert not served.reported


def test_a_client_behind_a_trusted_proxy_of_a_loopback_server_needs_a_token(tmp_path: Path) -> None:
    listen = replace(LOOPBACK, trusted_proxies=(ip_network("127.0.0.0/8"),))
    with Served(tmp_path, listen=listen) as served:
        forwarded = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https"}
        assert served.send("GET", "/needs/read", headers=forwarded).status == 401
        assert ask(served, "read").status == 200
        token = create(served, "proxied", Scope.READ)
        answer = served.send("POST", "/login", f"token={token}".encode(), forwarded)
        assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_an_open_server_needs_no_token(tmp_path: Path) -> None:
    with Served(tmp_path, listen=replace(EVERYWHERE, open=True)) as served:
        create(served, "unused")
        assert [ask(served, scope).status for scope in SCOPES] == [200, 200, 200]
        assert ask(served, "admin", make_token()).status == 200
        assert served.send("GET", "/ready").status == 200
        assert not any("no tokens" in sentence for sentence in served.reported)
