import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from puppylog.model.token import NewToken, Scope, hash_token, make_token
from support.page import ask_for_status
from support.served import Served

FORBIDDEN = "/#/search?q=ident:payroll"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose store is empty."""
    with Served(tmp_path_factory.mktemp("session")) as served:
        yield served


@pytest.fixture(scope="module")
def tokens(served: Served) -> dict[Scope, str]:
    """Tokens by their scopes. As soon as there is one, the server lets in nobody without one."""
    made = {scope: make_token() for scope in Scope}
    with served.own.connect() as store:
        for scope, token in made.items():
            store.create_token(NewToken(scope.value, scope, hash_token(token), None))
    return made


def test_without_a_session_an_address_shows_the_log_in_and_nothing_else(
    page: Page, faults: list[str], served: Served, tokens: dict[Scope, str]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(served.url)))
    page.goto(FORBIDDEN)
    dialog = page.get_by_role("dialog", name="Log in")
    expect(dialog.get_by_label("Token", exact=True)).to_be_focused()
    expect(page.get_by_role("main")).to_be_empty()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    assert [path for path in asked if path.startswith("/api/") and path != "/api/v1/session"] == []
    for token, cause in ((make_token(), "the token is unknown"), (tokens[Scope.INGEST], "needs read or admin")):
        dialog.get_by_label("Token", exact=True).fill(token)
        page.keyboard.press("Enter")
        expect(dialog.get_by_role("alert")).to_contain_text(cause)
    dialog.get_by_label("Token", exact=True).fill(tokens[Scope.READ])
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page).to_have_title("Search · Puppylog")
    assert_no_secret(page, tokens)
    page.get_by_role("button", name="Session of token read").click()
    page.get_by_role("menuitem", name="Log out").click()
    expect(dialog).to_be_visible()
    assert page.evaluate("fetch('api/v1/status').then((answer) => answer.status)") == 401
    faults[:] = [fault for fault in faults if "status of 401" not in fault]


def assert_no_secret(page: Page, tokens: dict[Scope, str]) -> None:
    """Check that neither an address, nor what scripts can read, has the token or the session."""
    kept = page.evaluate(
        "() => JSON.stringify([location.href, document.cookie, {...localStorage}, {...sessionStorage}, history.state, "
        "document.documentElement.textContent])"
    )
    [cookie] = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    for secret in (*tokens.values(), cookie["value"]):
        assert secret not in kept


def test_a_session_that_ends_asks_for_a_token_and_repeats_the_request(
    page: Page, faults: list[str], tokens: dict[Scope, str]
) -> None:
    page.goto("/#/alerts")
    page.get_by_label("Token", exact=True).fill(tokens[Scope.ADMIN])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Alerts")).to_have_count(1)
    page.context.clear_cookies()
    ask_for_status(page)
    dialog = page.get_by_role("dialog", name="Log in")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Token", exact=True).fill(tokens[Scope.ADMIN])
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert page.evaluate("fetch('api/v1/status').then((answer) => answer.status)") == 200
    faults[:] = [fault for fault in faults if "status of 401" not in fault]


def test_a_session_is_described_without_a_token_and_with_one(served: Served, tokens: dict[Scope, str]) -> None:
    def ask(**headers: str) -> object:
        answer = served.send("GET", "/api/v1/session", headers=headers)
        assert (answer.status, answer.headers["cache-control"]) == (200, "no-store")
        return json.loads(answer.body)

    nobody = {"needs_token": True, "name": None, "scope": None}
    assert ask() == nobody
    assert ask(cookie="puppylog_session=guessed") == nobody
    assert ask(authorization="Bearer nonsense") == nobody
    assert ask(authorization=f"Bearer {tokens[Scope.READ]}") == {"needs_token": True, "name": "read", "scope": "read"}


def test_a_page_of_another_site_sends_no_request(served: Served, tokens: dict[Scope, str]) -> None:
    body = json.dumps({"token": tokens[Scope.READ]}).encode()
    for path in ("/login", "/logout", "/api/v1/lines?source=a"):
        for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            sent = {"Content-Type": "application/json", "Authorization": f"Bearer {tokens[Scope.ADMIN]}", **headers}
            answer = served.send("POST", path, body, headers=sent)
            assert (answer.status, "set-cookie" in answer.headers) == (403, False)
    asked = {"Authorization": f"Bearer {tokens[Scope.READ]}", "Sec-Fetch-Site": "cross-site"}
    for mode, status in (("no-cors", 403), ("cors", 403), ("navigate", 200)):
        assert served.send("GET", "/api/v1/status", headers={**asked, "Sec-Fetch-Mode": mode}).status == status
