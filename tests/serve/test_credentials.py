import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from puppylog.model.token import is_token
from puppylog.serve.credentials import Unreadable, read_token

TOKEN = "ppl_" + "0123456789abcdefghijklmnopqrstuvwxyz_-ABCDE"  # the same in every process of the tests


def request(*values: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", value.encode("latin-1")) for value in values]})


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "value",
    [
        f"Bearer {TOKEN}",
        f"bearer   {TOKEN} ",
        f"Basic {packed(f'anyone:{TOKEN}')}",
        f"Basic {packed(f':{TOKEN}')}",
        f"BASIC {packed(f'jö:{TOKEN}')}",
        f"ApiKey {packed(f'id:{TOKEN}')}",
        f"ApiKey {TOKEN}",
    ],
)
def test_a_token_is_read_in_the_ways_in_which_programs_send_it(value: str) -> None:
    assert read_token(request(value)) == TOKEN


def test_a_request_without_the_header_has_no_token() -> None:
    assert read_token(request()) is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Bearer",
        "Bearer x",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN[:-1]}\xe9",
        f"Negotiate {TOKEN}",
        TOKEN,
        "Basic",
        "Basic !!!",
        "Basic YW55b25l",
        "Basic /w==",
        f"Basic {packed(TOKEN)}",
        f"ApiKey {packed(TOKEN)}",
        "Bearer " + "a" * 100_000,
    ],
)
def test_a_header_without_a_token_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_token(request(value))
    assert TOKEN[:10] not in str(raised.value)
    assert len(str(raised.value)) < 200


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=200).map(lambda data: b"Basic " + base64.b64encode(data))))
def test_any_bytes_are_a_token_or_refused(value: bytes) -> None:
    try:
        token = read_token(Request({"type": "http", "headers": [(b"authorization", value)]}))
    except Unreadable:
        return
    assert token is not None
    assert is_token(token)


def test_several_headers_are_refused() -> None:
    with pytest.raises(Unreadable, match="several"):
        read_token(request(f"Bearer {TOKEN}", f"Bearer {TOKEN}"))
