"""Apache's ``LogFormat``: what directives fill, and which formats are refused."""

import pytest

from puppylog.errors import FormatError
from puppylog.formats.layout.apache import compile_apache
from puppylog.formats.layout.program import ATTRIBUTE, TEXT_COLUMNS, Kind


def filled_by(written: str) -> list[str]:
    """Return the column or the attribute that each field fills."""
    return [
        TEXT_COLUMNS[step.column] if step.column != ATTRIBUTE else step.name.decode() or step.kind.name
        for step in compile_apache(written).steps
    ]


@pytest.mark.parametrize(
    ("directive", "filled"),
    [
        ("%h", "host"),
        ("%a", "host"),
        ("%{c}a", "peer_addr"),
        ("%A", "server_addr"),
        ("%l", "ident"),
        ("%u", "ruser"),
        ("%r", "request_route"),
        ("%m", "request_method"),
        ("%U", "request_route"),
        ("%H", "request_proto"),
        ("%>s", "STATUS"),
        ("%<s", "STATUS"),
        ("%s", "STATUS"),
        ("%b", "BYTES"),
        ("%B", "BYTES"),
        ("%O", "BYTES"),
        ("%I", "bytes_received"),
        ("%S", "bytes_transferred"),
        ("%D", "duration_us"),
        ("%T", "duration_s"),
        ("%{ms}T", "duration_ms"),
        ("%{us}T", "duration_us"),
        ("%v", "vhost"),
        ("%V", "server_name"),
        ("%p", "server_port"),
        ("%{local}p", "local_port"),
        ("%{remote}p", "remote_port"),
        ("%P", "pid"),
        ("%{tid}P", "tid"),
        ("%f", "file"),
        ("%k", "keepalives"),
        ("%X", "connection_status"),
        ("%R", "handler"),
        ("%L", "log_id"),
        ("%^FB", "first_byte_us"),
        ("%{Referer}i", "referer"),
        ("%!200,304{Referer}i", "referer"),
        ("%{Referer}>i", "referer"),
        ("%{User-agent}i", "user_agent"),
        ("%{X-Request-Id}i", "http_x_request_id"),
        ("%{Content-Type}o", "sent_http_content_type"),
        ("%{UNIQUE_ID}e", "env_UNIQUE_ID"),
        ("%{mod-note}n", "note_mod_note"),
        ("%{Session}C", "cookie_session"),
        ("%{Expires}^to", "sent_trailer_expires"),
        ("%{SSL_PROTOCOL}x", "ssl_protocol"),
        ("%t", "ACCESS"),
        ("%{sec}t", "EPOCH"),
        ("%{begin:msec}t", "EPOCH"),
    ],
)
def test_a_directive_fills_its_column_or_attribute(directive: str, filled: str) -> None:
    assert filled_by(f"100%% {directive} ") == [filled]


def test_a_column_is_filled_by_the_better_directive_and_the_other_one_becomes_an_attribute() -> None:
    assert filled_by("%a %h %O %b %s %>s %m %U %r") == [
        "remote_addr",
        "host",
        "bytes_sent",
        "BYTES",
        "original_status",
        "STATUS",
        "request_method",
        "uri",
        "request_route",
    ]


def test_adjacent_path_and_query_are_the_route() -> None:
    assert filled_by("%m %U%q %H") == ["request_method", "request_route", "request_proto"]


def test_escapes_of_the_configuration_are_resolved() -> None:
    program = compile_apache(r"\"%h\"\t\\%>s")
    assert program.prefix == b'"'
    assert [step.literal for step in program.steps] == [b'"\t\\', b""]


@pytest.mark.parametrize(
    ("pattern", "kinds"),
    [
        ("%F %T", [Kind.YEAR, Kind.MONTH, Kind.DAY, Kind.HOUR, Kind.MINUTE, Kind.SECOND]),
        ("%d/%b/%y %R %z", [Kind.DAY, Kind.MONTH_NAME, Kind.YEAR_OF_CENTURY, Kind.HOUR, Kind.MINUTE, Kind.ZONE]),
        ("%a %e %EY%m %I %p", [Kind.SKIP, Kind.DAY, Kind.YEAR, Kind.MONTH, Kind.HOUR_OF_TWELVE, Kind.HALF_DAY]),
    ],
)
def test_a_pattern_of_strftime_is_read_in_parts(pattern: str, kinds: list[Kind]) -> None:
    assert [step.kind for step in compile_apache(f"%{{{pattern}}}t").steps] == kinds


@pytest.mark.parametrize(
    ("written", "at", "cause"),
    [
        ("%h%l", 2, "there is no text between %h and %l"),
        ("%h %y", 3, "%y is not a known directive"),
        ("%h %{x}T", 3, "%{x}T is not a known directive"),
        ("%h 5% ", 4, "a % with no directive after it"),
        ("%h %{%Y %Q}t", 8, "%Q in a time is unknown; known are %% "),
        ("%h\\n%l", 2, "a record must not have more than one line"),
        ("%{User-Agent}i %h", 0, "%{User-Agent}i may have blanks, and only a blank ends it"),
        ("%%", 0, "there is no field in it"),
    ],
)
def test_an_invalid_format_is_refused_with_the_column(written: str, at: int, cause: str) -> None:
    with pytest.raises(FormatError) as error:
        compile_apache(written)
    assert error.value.message.startswith(f"cannot read log format {written!r}: {cause}")
    assert error.value.message.endswith(f" (column {at + 1})")
    assert (error.value.written, error.value.at) == (written, at)
