"""Which fields become columns, which become attributes, and which are left out."""

import pytest

from puppylog.formats.fields import Member, read_fields
from puppylog.formats.names import find_name, normalize
from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME


def text_member(key: str, text: str) -> Member:
    return Member(key, quote(text), text=text, name=find_name(key))


def number_member(key: str, number: str) -> Member:
    return Member(key, number, text=number, is_number=True, name=find_name(key))


def test_a_member_without_a_name_is_an_attribute() -> None:
    fields = read_fields([text_member("shoe", "left")])
    assert fields.columns == {}
    assert fields.attributes == [("shoe", '"left"')]
    assert fields.ts_us == NO_TIME


def test_a_value_that_does_not_fit_leaves_the_column_to_the_next_name() -> None:
    fields = read_fields([text_member("responsestatus", "ok"), number_member("responsecode", "200")])
    assert fields.columns == {"status_code": 200}
    assert fields.attributes == [("responsestatus", '"ok"')]


@pytest.mark.parametrize(
    "members",
    [
        [text_member("path", "/var/log/a.log"), number_member("size", "7")],
        [text_member("path", "/srv"), text_member("method", "list"), text_member("url", "http://192.0.2.1/")],
        [number_member("status", "3")],
        [number_member("status", "200"), text_member("agent", "x")],
        [number_member("statuscode", "3")],
        [text_member("user.name", "ann"), text_member("userid", "7")],
    ],
)
def test_a_name_that_may_mean_something_else_is_an_attribute_without_a_request(members: list[Member]) -> None:
    fields = read_fields(members)
    assert fields.columns == {}
    assert len(fields.attributes) == len(members)


@pytest.mark.parametrize(
    "sure", [("method", "GET"), ("proto", "HTTP/1.1"), ("requesturi", "/b"), ("request", "GET /b")]
)
def test_such_a_name_means_its_column_in_a_line_with_a_request(sure: tuple[str, str]) -> None:
    members = [
        number_member("status", "404"),
        number_member("size", "7"),
        text_member("path", "/a"),
        text_member(*sure),
    ]
    columns = read_fields(members).columns
    assert (columns["status_code"], columns["response_bytes"]) == (404, 7)
    assert columns["request_route"] == "/a" if sure[0] in {"method", "proto"} else "/b"


@pytest.mark.parametrize(
    ("text", "host", "more"),
    [
        ("192.0.2.1:34567", "192.0.2.1", [("client_port", "34567")]),
        ("[2001:db8::7]:443", "2001:db8::7", [("client_port", "443")]),
        ("2001:db8::7", "2001:db8::7", []),
        ("web-1.example.org", "web-1.example.org", []),
        ("198.51.100.9, 192.0.2.1", "198.51.100.9", [("forwarded_for", '"198.51.100.9, 192.0.2.1"')]),
    ],
)
def test_a_host_has_no_port_and_is_the_first_of_a_list(text: str, host: str, more: list[tuple[str, str]]) -> None:
    fields = read_fields([text_member("remoteaddr", text)])
    assert fields.columns == {"host": host}
    assert fields.attributes == more


@pytest.mark.parametrize("text", ["cron[77]", "a b", "192.0.2.1:http", "[local]", "@"])
def test_what_is_no_host_is_an_attribute(text: str) -> None:
    assert read_fields([text_member("remoteaddr", text)]).attributes == [("remoteaddr", quote(text))]


def test_the_senders_name_is_the_host_of_a_line_without_a_request_only() -> None:
    assert read_fields([text_member("hostname", "web1")]).columns == {"host": "web1"}
    request = [text_member("hostname", "www.example.org"), text_member("method", "GET")]
    assert read_fields(request).columns == {"request_method": "GET"}


def test_nanoseconds_are_added_to_a_time_in_whole_seconds_only() -> None:
    nanoseconds = number_member("instant.nanoofsecond", "118456789")
    assert read_fields([number_member("instant.epochsecond", "1711972800"), nanoseconds]).ts_us == 1711972800118456
    fields = read_fields(
        [number_member("instant.nanoofsecond", "118456789"), text_member("time", "2024-04-01T12:00:00Z")]
    )
    assert (fields.ts_us, fields.attributes) == (1711972800000000, [("instant.nanoofsecond", "118456789")])


def test_an_event_of_serilog_without_a_level_is_information() -> None:
    time = text_member("@t", "2024-04-01T12:00:00Z")
    assert read_fields([time]).columns == {"severity": "info"}
    assert read_fields([time, text_member("@l", "Loud")]).columns == {}


def test_a_word_that_differs_from_the_severitys_name_is_kept_unless_the_line_has_its_key() -> None:
    assert read_fields([text_member("level", "WARN")]).attributes == [("severity_text", '"WARN"')]
    own = Member("severity_text", '"x"', text="x", name=find_name("severitytext"))
    assert read_fields([text_member("level", "WARN"), own]).attributes == [("severity_text", '"x"')]


def test_a_member_with_an_unknown_value_is_left_out() -> None:
    silent = [text_member("user", "-"), text_member("msg", ""), Member("status", "null", name=find_name("status"))]
    fields = read_fields(silent)
    assert fields.columns == {}
    assert fields.attributes == []


def test_the_other_members_of_an_object_become_one_attribute() -> None:
    inner = [text_member("method", "GET"), text_member("id", "7")]
    outer = Member("request", '{"method": "GET", "id": "7"}', inner=inner)
    fields = read_fields([outer])
    assert fields.columns == {"request_method": "GET"}
    assert fields.attributes == [("request", '{"id": "7"}')]


@pytest.mark.parametrize(
    ("key", "number", "word"),
    [
        *(("level", "10", "trace"), ("level", "35", "info"), ("level", "60", "critical")),
        *(("priority", "0", "emergency"), ("priority", "4", "warning"), ("syslog_severity", "7", "debug")),
        *(("severity_number", "9", "info"), ("severity_number", "10", "notice"), ("severityNumber", "24", "critical")),
        *(("levelno", "10", "debug"), ("levelno", "25", "info"), ("levelno", "50", "critical")),
        *(("intLevel", "100", "critical"), ("intLevel", "400", "info"), ("level_value", "30000", "warning")),
    ],
)
def test_severities_that_are_numbers_become_words(key: str, number: str, word: str) -> None:
    assert read_fields([number_member(normalize(key), number)]).columns == {"severity": word}
    assert read_fields([text_member(normalize(key), number)]).columns == {"severity": word}


@pytest.mark.parametrize("number", ["0", "1", "7", "8", "9", "70", "-1", "30.0", "400"])
def test_other_numbers_are_no_severities(number: str) -> None:
    assert read_fields([number_member("level", number)]).attributes == [("level", number)]


@pytest.mark.parametrize(
    ("sign", "number", "word"),
    [
        *(("short_message", "1", "alert"), ("short_message", "7", "debug"), ("reqId", "1", "info")),
        *(("reqId", "4", "critical"), ("ProviderName", "2", "error"), ("ProviderName", "4", "info")),
    ],
)
def test_a_number_is_read_as_the_format_means_it_that_another_member_shows(sign: str, number: str, word: str) -> None:
    members = [number_member("level", number), text_member(normalize(sign), "x")]
    assert read_fields(members).columns["severity"] == word


@pytest.mark.parametrize(
    ("text", "ts_us", "is_local"),
    [
        ("2024-04-01T12:00:00.5Z", 1_711_972_800_500_000, False),
        ("2024-04-01 12:00:00", 1_711_972_800_000_000, True),
        ("01/Apr/2024:14:00:00 +0200", 1_711_972_800_000_000, False),
        ("[01/Apr/2024:12:00:00 +0000]", 1_711_972_800_000_000, False),
        ("1711972800.25", 1_711_972_800_250_000, False),
        ("100000000", 100_000_000_000_000, False),
        ("99999999", NO_TIME, False),
        ("2024-13-01T12:00:00Z", NO_TIME, False),
        ("noon", NO_TIME, False),
    ],
)
def test_times_are_read_in_every_known_form(text: str, ts_us: int, is_local: bool) -> None:
    fields = read_fields([text_member("time", text)])
    assert (fields.ts_us, fields.is_local) == (ts_us, is_local)
    assert fields.attributes == ([("time", quote(text))] if ts_us == NO_TIME else [])
