"""nginx's ``log_format``: what variables fill, where they end, and which formats are refused."""

import pytest

from puppylog.errors import FormatError
from puppylog.formats.layout.nginx import compile_nginx
from puppylog.formats.layout.program import ATTRIBUTE, TEXT_COLUMNS, Ending, Kind


def steps_of(written: str, escape: str = "default") -> dict[str, tuple[Kind, Ending]]:
    """Return the kind and the ending of the field for each column or attribute."""
    steps = compile_nginx(written, escape).steps
    return {
        TEXT_COLUMNS[step.column] if step.column != ATTRIBUTE else step.name.decode(): (step.kind, step.ending)
        for step in steps
    }


def test_variables_fill_columns_and_everything_else_becomes_an_attribute() -> None:
    assert list(steps_of("$remote_addr|$remote_user|$request_method|$request_uri|$server_protocol|$http_referer")) == [
        "host",
        "ruser",
        "request_method",
        "request_route",
        "request_proto",
        "referer",
    ]
    assert list(steps_of("$host|$ssl_protocol|$cookie_a|$arg_b|${anything}_else")) == [
        "host",
        "ssl_protocol",
        "cookie_a",
        "arg_b",
        "anything",
    ]


def test_a_column_is_filled_by_the_better_variable_and_the_other_one_becomes_an_attribute() -> None:
    assert list(steps_of('$uri|$request_uri|$http_x_real_ip|$remote_addr|"$request"')) == [
        "uri",
        "request_uri",
        "http_x_real_ip",
        "host",
        "request_route",
    ]


@pytest.mark.parametrize(
    "name", ["request_time", "upstream_header_time", "request_length", "upstream_status", "bytes_sent", "server_port"]
)
def test_times_and_sizes_are_numbers(name: str) -> None:
    assert steps_of(f"$body_bytes_sent|${name}|")[name][0] is Kind.NUMBER


@pytest.mark.parametrize("name", ["cookie_my_time", "arg_port", "upstream_cache_status_text", "request_id"])
def test_a_variable_that_only_sounds_like_a_number_is_a_text(name: str) -> None:
    assert steps_of(f"${name}|")[name][0] is Kind.TEXT


@pytest.mark.parametrize(
    ("written", "column", "ending"),
    [
        ("$remote_addr $status", "host", Ending.LITERAL),
        ("$remote_addr:$remote_port ", "host", Ending.ADDRESS),
        ("$remote_addr: $remote_port", "host", Ending.LITERAL),
        ("$http_user_agent ", "user_agent", Ending.REST),
        ('"$http_referer"', "referer", Ending.QUOTE),
        ('"$http_referer|$status"', "referer", Ending.LITERAL),
        ('\\"$http_referer', "referer", Ending.REST),
        ("$upstream_addr $status", "upstream_addr", Ending.LIST),
        ("$upstream_addr|$status", "upstream_addr", Ending.LITERAL),
        ("$upstream_addr", "upstream_addr", Ending.REST),
        ("$scheme$request_uri", "scheme", Ending.SLASH),
        ("$request_uri $server_protocol", "request_route", Ending.BEFORE_PROTO),
        ("$request $status", "request_route", Ending.AFTER_PROTO),
        ("[$request]", "request_route", Ending.REST),
        ("[$request] $host", "request_route", Ending.LITERAL),
        ("$http_user_agent|$status", "user_agent", Ending.LITERAL),
    ],
)
def test_the_text_after_a_field_decides_where_it_ends(written: str, column: str, ending: Ending) -> None:
    named = steps_of(written)
    (found,) = [named[name] for name in (column, "") if name in named][:1]
    assert found[1] is ending


def test_without_escapes_a_quote_is_like_any_other_text() -> None:
    assert steps_of('"$http_referer" $host', "none")["referer"][1] is Ending.LITERAL


@pytest.mark.parametrize(
    ("written", "at", "cause"),
    [
        ("$remote_addr$status", 12, "there is no text between $remote_addr and $status"),
        ("$host ${remote_addr}$status", 20, "there is no text between ${remote_addr} and $status"),
        ("$status $http_user_agent $host", 8, "$http_user_agent may have blanks, and only a blank ends it"),
        ("$status\n$host", 7, "a record must not have more than one line"),
        ("no variable", 0, "there is no field in it"),
    ],
)
def test_a_format_with_an_ambiguous_end_is_refused_with_the_column(written: str, at: int, cause: str) -> None:
    with pytest.raises(FormatError) as error:
        compile_nginx(written)
    assert error.value.message.startswith(f"cannot read log format {written!r}: {cause}")
    assert error.value.message.endswith(f" (column {at + 1})")
    assert (error.value.written, error.value.at) == (written, at)


def test_a_newline_at_the_end_of_the_format_is_ignored() -> None:
    assert compile_nginx("$host $status\n") == compile_nginx("$host $status")
