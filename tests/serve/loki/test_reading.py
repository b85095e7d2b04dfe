"""Loki's read interface, asked as Grafana's data source and logcli ask: their paths, parameters and headers."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from puppylog.model.token import NewToken, Scope, hash_token, make_token
from support.embedded import wait_until
from support.served import Answer, Served

PREFIX: Final = "/loki/api/v1"
START: Final = 1_790_000_000  # in seconds; the time of the first entry
END: Final = START + 300
GRAFANA: Final = {
    "X-Loki-Response-Encoding-Flags": "categorize-labels",
    "X-Query-Tags": "Source=logvolhist",
    "X-Scope-OrgID": "tenant1",
    "Accept-Encoding": "gzip",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("reading")) as served:
        levels = ("info", "ERROR", "warn")
        lines = [
            {
                "time": START + at,
                "level": levels[at % 3],
                "message": f"order {at}",
                "shopper": f"u{at % 2}",
                "status": 200 + at,
                "took": f"{at}ms",
            }
            for at in range(30)
        ]
        body = "".join(json.dumps(line) + "\n" for line in lines).encode()
        assert served.send("POST", "/api/v1/lines?source=shop&format=json&group=prod", body).status == 200
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(START + 100))
        request = f'10.0.0.1 - - [{stamp}] "GET /a HTTP/1.1" 503 17 "-" "curl"\n'.encode()
        assert served.send("POST", "/api/v1/lines?source=web&format=combined", request).status == 200
        streams = [{"stream": {"app": "cart", "env": "eu"}, "values": [[str(START * 10**9), "pushed", {"trace": "1"}]]}]
        push = json.dumps({"streams": streams}).encode()
        pushed = served.send("POST", f"{PREFIX}/push", push, {"Content-Type": "application/json"})
        assert pushed.status == 204
        yield served


def ask(
    served: Served,
    path: str,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
    /,
    **parameters: object,
) -> Answer:
    written = urlencode({name: str(value) for name, value in parameters.items()})
    if method == "GET":
        return served.send("GET", f"{PREFIX}/{path}?{written}", headers=headers)
    form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    return served.send("POST", f"{PREFIX}/{path}", written.encode(), form)


def answered(answer: Answer) -> Any:
    assert answer.status == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return json.loads(answer.body)


def find(served: Served, query: str, **parameters: object) -> list[dict[str, Any]]:
    """Return the result of a query over the range of all entries, asked as Grafana asks."""
    bounds = {"start": START * 10**9, "end": END * 10**9, "step": "15000ms", "direction": "backward", "limit": 1000}
    data = answered(ask(served, "query_range", GRAFANA, query=query, **{**bounds, **parameters}))["data"]
    result: list[dict[str, Any]] = data["result"]
    return result


def test_grafana_finds_the_data_source_healthy(served: Served) -> None:
    answer = answered(ask(served, "query", direction="backward", query="vector(1)+vector(1)", time=4_000_000_000))
    assert answer["status"] == "success"
    assert answer["data"]["resultType"] == "vector"
    assert answer["data"]["result"] == [{"metric": {}, "value": [4_000_000_000, "2"]}]


def test_entries_have_labels_of_streams_and_of_records_apart_if_the_client_wants_it(served: Served) -> None:
    answer = answered(
        ask(
            served,
            "query_range",
            GRAFANA,
            query='{app="cart"} | label_format where="{{.env}}-1"',
            start=START * 10**9,
            end=END * 10**9,
            limit=5,
        )
    )
    assert answer["data"]["encodingFlags"] == ["categorize-labels"]
    assert {"summary", "querier", "ingester"} <= answer["data"]["stats"].keys()
    metadata = {"app": "cart", "env": "eu", "trace": "1"}
    apart = {"structuredMetadata": metadata, "parsed": {"where": "eu-1"}}
    assert answer["data"]["result"] == [
        {
            "stream": {"filename": "loki:///cart", "service_name": "cart"},
            "values": [[str(START * 10**9), "pushed", apart]],
        }
    ]


def test_logcli_reads_entries_with_the_labels_of_streams_and_behind_a_parser_all(served: Served) -> None:
    bounds = {"start": START * 10**9, "end": END * 10**9, "direction": "FORWARD", "limit": 2}
    for query, more in (('{group="prod"}', {}), ('{group="prod"} | json | keep shopper, group', {"shopper": "u0"})):
        answer = answered(ask(served, "query_range", query=query, **bounds))
        [first, *_] = answer["data"]["result"]
        expected = (
            {"filename": "lines:///shop", "group": "prod", "service_name": "shop"} if not more else {"group": "prod"}
        )
        assert first["stream"] == {**expected, **more}
        assert first["values"][0] == [str(START * 10**9), "order 0"]


def test_a_request_is_a_line_of_the_combined_format(served: Served) -> None:
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(START + 100))
    line = f'10.0.0.1 - - [{stamp}] "GET /a HTTP/1.1" 503 17 "-" "curl"'
    for query in ('{status_code="503"}', '{service_name="web"} |= "GET /a HTTP"', "{} | status_code >= 500"):
        [stream] = find(served, query)
        assert [value[:2] for value in stream["values"]] == [[str((START + 100) * 10**9), line]]


def test_a_column_is_found_by_the_names_that_formats_read_into_it(served: Served) -> None:
    for query in ("{} | status = 503", '{status="503"}', '{} | json | method="GET"'):
        [stream] = find(served, query)
        assert stream["stream"]["service_name"] == "web"
    [stream] = find(served, '{} | status = 229 | line_format "{{.status}} {{.msg}}"')
    assert stream["values"][0][1] == "229 order 29"
    [series] = find(served, "sum by (status) (count_over_time({} | status >= 503 [1m]))", start=START + 120)
    assert series["metric"] == {"status": "503"}


def test_the_log_volume_is_counted_by_level(served: Served) -> None:
    query = 'sum by (level, detected_level) (count_over_time({group="prod"} |= "order" | drop __error__[15000ms]))'
    series = find(served, query)
    assert {one["metric"]["level"] for one in series} == {"info", "error", "warn"}
    assert all(one["metric"]["level"] == one["metric"]["detected_level"] for one in series)
    assert sum(float(value) for one in series for _, value in one["values"]) == 30
    times = {at for one in series for at, _ in one["values"]}
    assert all(at % 15 == 0 for at in times)


def test_steps_are_multiples_of_the_step_and_cover_the_range(served: Served) -> None:
    [series] = find(served, "vector(3)", start=START + 1, end=START + 59, step=30)
    first = START // 30 * 30
    assert series["values"] == [[at, "3"] for at in range(first, START + 59 + 30, 30)]
    [fine] = find(served, "vector(1)", start=f"{START}.5", end=f"{START + 1}.1", step="0.25")
    assert [at for at, _ in fine["values"]] == [START + 0.5, START + 0.75, START + 1, START + 1.25]


def test_instants_are_taken_in_all_forms_of_loki(served: Served) -> None:
    rfc = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(START + 100))
    for at in (START + 100, f"{START + 100}.0", (START + 100) * 10**9, f"{rfc}Z", f"{rfc}.000000000+00:00"):
        answer = answered(ask(served, "query", query='count_over_time({service_name="web"}[1s])', time=at))
        [one] = answer["data"]["result"]
        assert one["value"] == [START + 100, "1"]


def test_the_default_range_is_the_last_hour_or_since(served: Served) -> None:
    assert answered(ask(served, "query_range", query="{}"))["data"]["result"] == []
    found = answered(ask(served, "query_range", query="{}", since="20y", end=END, limit=1))["data"]["result"]
    assert found[0]["values"][0][0] == str((START + 100) * 10**9)


def test_labels_and_their_values_are_browsed(served: Served) -> None:
    bounds = {"start": START * 10**9, "end": END * 10**9}
    names = ["app", "env", "filename", "group", "level", "service_name", "severity_text", "shopper"]
    assert [name for name in answered(ask(served, "labels", **bounds))["data"] if name != "trace"] == names
    assert answered(ask(served, "label", **bounds))["status"] == "success"
    assert answered(ask(served, "label/service_name/values", **bounds))["data"] == ["cart", "shop", "web"]
    chosen = {**bounds, "query": '{group="prod"}'}
    assert answered(ask(served, "label/service_name/values", **chosen))["data"] == ["shop"]
    assert answered(ask(served, "label/level/values", **chosen))["data"] == ["error", "info", "warn"]
    assert answered(ask(served, "label/shopper/values", None, "POST", **chosen))["data"] == ["u0", "u1"]


def test_series_are_the_labels_of_streams(served: Served) -> None:
    pairs = [("match[]", '{group=~".+"}'), ("match", '{app="cart"}'), ("start", START), ("end", END)]
    assert answered(served.send("GET", f"{PREFIX}/series?{urlencode(pairs)}"))["data"] == [
        {"filename": "lines:///shop", "group": "prod", "service_name": "shop"},
        {"filename": "loki:///cart", "service_name": "cart"},
    ]


def test_amounts_and_volumes_are_told(served: Served) -> None:
    bounds = {"start": START * 10**9, "end": END * 10**9}
    stats = answered(ask(served, "index/stats", query='{group="prod"}', **bounds))
    assert (stats["streams"], stats["entries"]) == (1, 30)
    assert stats["bytes"] == sum(len(f"order {at}") for at in range(30))
    answer = answered(ask(served, "index/volume", query='{service_name=~".+"}', limit=2, **bounds))
    [largest, second] = answer["data"]["result"]
    assert largest["metric"] == {"service_name": "shop"}
    assert largest["value"] == [END, str(stats["bytes"])]
    assert second["metric"] == {"service_name": "web"}
    ranged = answered(ask(served, "index/volume_range", query='{service_name="shop"}', step=300, **bounds))
    assert sum(int(value) for _, value in ranged["data"]["result"][0]["values"]) == stats["bytes"]
    by_label = answered(ask(served, "index/volume", query='{group="prod"}', aggregateBy="labels", **bounds))
    assert by_label["data"]["result"][0]["metric"] == {"group": ""}


def test_labels_fields_and_patterns_are_detected(served: Served) -> None:
    bounds = {"start": START * 10**9, "end": END * 10**9, "query": '{group="prod"}'}
    labels = answered(ask(served, "detected_labels", **bounds))["detectedLabels"]
    assert {"label": "level", "cardinality": 3} in labels
    fields = answered(ask(served, "detected_fields", **bounds, line_limit=100))["fields"]
    assert {"label": "took", "type": "duration", "cardinality": 30, "parsers": None} in fields
    assert answered(ask(served, "detected_field/shopper/values", **bounds))["values"] == ["u0", "u1"]
    [pattern] = answered(ask(served, "patterns", **bounds))["data"]
    assert pattern == {"pattern": "order <_>", "samples": [[START, 30]]}
    assert len(find(served, '{group="prod"} |> "order <_>"')[0]["values"]) == 30


def test_versions_limits_and_written_queries_are_told(served: Served) -> None:
    assert answered(ask(served, "status/buildinfo"))["version"].startswith("3.")
    limits = answered(ask(served, "drilldown-limits"))
    assert (limits["pattern_ingester_enabled"], limits["limits"]["volume_enabled"]) == (True, True)
    assert answered(ask(served, "format_query", query='{a="b"}|="c"'))["data"] == '{a="b"} |= "c"'
    refused = ask(served, "format_query", query="{")
    assert (refused.status, json.loads(refused.body)["status"]) == (400, "invalid-query")
    assert served.send("GET", "/ready").status == 200


REFUSED: Final[tuple[tuple[str, dict[str, object], int, str], ...]] = (
    ("query_range", {"query": '{a="b"} | pattern "<x>"'}, 400, "parse error at line 1, col 11: "),
    ("query_range", {"query": "rate({})"}, 400, "parse error at line 1, col 8: "),
    ("query_range", {"query": '{} | drop a="b" | a="c"'}, 400, "parse error at line 1, col 19: a label that is kept"),
    ("query_range", {"query": "{}", "start": END, "end": START}, 400, "end timestamp must not be before"),
    ("query_range", {"query": "rate({}[1s])", "step": "0"}, 400, "zero or negative query resolution"),
    ("query_range", {"query": "rate({}[1s])", "start": 1, "end": END, "step": 1}, 400, "exceeded maximum resolution"),
    ("query_range", {"query": "{}", "limit": 10_001}, 400, "max entries limit per query exceeded"),
    ("query_range", {"query": "{}", "limit": "x"}, 400, "limit must be a whole number"),
    ("query_range", {"query": "{}", "direction": "up"}, 400, "invalid direction 'up'"),
    ("query_range", {"query": "{}", "start": "yesterday"}, 400, "start must be a time in nanoseconds"),
    ("query_range", {"query": "{}", "interval": "1s"}, 400, "interval is not supported"),
    ("query", {"query": "{}"}, 400, "log queries are not supported as an instant query type"),
    ("query", {"query": "rate({}[200y])"}, 400, "parse error at line 1, col 1: a range and an offset"),
    ("labels", {"query": '{a="b"} | json'}, 400, "parse error at line 1, col 9: a selector of streams ends here"),
    ("rules", {}, 404, "Puppylog has no /loki/api/v1/rules"),
    ("delete", {}, 404, "Puppylog has no /loki/api/v1/delete"),
)


@pytest.mark.parametrize(("path", "parameters", "status", "cause"), REFUSED)
def test_what_is_not_answered_is_refused_as_text(
    served: Served, path: str, parameters: dict[str, object], status: int, cause: str
) -> None:
    answer = ask(served, path, **parameters)
    assert (answer.status, answer.text[: len(cause)]) == (status, cause)
    assert answer.headers["content-type"].startswith("text/plain")


def test_the_configuration_is_not_shown(served: Served) -> None:
    answer = served.send("GET", "/config")
    assert (answer.status, "is not shown" in answer.text) == (403, True)


def test_a_token_of_the_scope_read_is_needed_as_bearer_or_as_password(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        ingest, read = make_token(), make_token()
        with served.own.connect() as store:
            store.create_token(NewToken("sender", Scope.INGEST, hash_token(ingest), None))
            store.create_token(NewToken("grafana", Scope.READ, hash_token(read), None))

        def status(authorization: str | None) -> int:
            headers = {} if authorization is None else {"Authorization": authorization}
            return ask(served, "query", headers, query="1+1").status

        wait_until(lambda: status(None) == 401, what="the tokens")
        pair = b64encode(f"grafana:{read}".encode()).decode()
        found = [status(given) for given in (f"Bearer {ingest}", f"Bearer {read}", f"Basic {pair}")]
        assert found == [403, 200, 200]
