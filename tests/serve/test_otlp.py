"""OTLP/HTTP: what OpenTelemetry's own exporter sends is stored once, and each answer is in the request's encoding."""

import gzip
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor, InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from puppylog.config.listen import ListenConfig
from puppylog.model.address import Address
from receive.otlp.requests import TIME_NS, any_of, protobuf_of, request_of
from support.served import Answer, Served

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(
        tmp_path_factory.mktemp("otlp"), listen=ListenConfig(address=Address("127.0.0.1", 0), max_body=1 << 20)
    ) as served:
        yield served


def post(served: Served, body: bytes, content_type: str = PROTOBUF, headers: Mapping[str, str] | None = None) -> Answer:
    return served.send("POST", "/v1/logs", body, {"Content-Type": content_type, **(headers or {})})


def records(served: Served, source: str) -> list[dict[str, Any]]:
    return served.query(
        "SELECT records.* FROM puppylog.log_records AS records"
        " JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id"
        f" WHERE source_uri = 'otlp:///{source}' ORDER BY line_offset"
    )


def request_from(service: str, *texts: str) -> dict[str, Any]:
    sent = ({"timeUnixNano": str(TIME_NS), "body": any_of(text)} for text in texts)
    return request_of(*sent, resource={"service.name": service})


def status_of(answer: Answer) -> tuple[int, str]:
    """Return code and message of an answer's google.rpc.Status in protobuf."""
    assert answer.headers["content-type"] == PROTOBUF
    status = ExportLogsPartialSuccess.FromString(answer.body)  # the same bytes as google.rpc.Status
    return status.rejected_log_records, status.error_message


def test_records_in_protobuf_and_in_json_are_stored_and_answered_in_the_same_encoding(served: Served) -> None:
    answer = post(served, protobuf_of(request_from("both", "one")))
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, PROTOBUF, b"")
    answer = post(served, json.dumps(request_from("both", "two")).encode(), "application/json; charset=utf-8")
    assert (answer.status, answer.headers["content-type"], json.loads(answer.body)) == (200, JSON, {})
    assert [row["message"] for row in records(served, "both")] == ["one", "two"]


def test_an_identical_retry_is_answered_as_before_and_stores_nothing(served: Served) -> None:
    request = request_from("retry", "one")
    request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].append({"attributes": 5})
    body = json.dumps(request).encode()
    first = post(served, body, JSON)
    again = post(served, gzip.compress(body), JSON, {"Content-Encoding": "gzip"})
    assert first.body == again.body
    assert "x-puppylog-repeated" in again.headers
    assert len(records(served, "retry")) == 1


def test_records_that_cannot_be_read_are_a_partial_success(served: Served) -> None:
    request = request_from("partial", "one")
    request["resourceLogs"][0]["scopeLogs"][0]["logRecords"].append({"attributes": 5})
    answer = post(served, json.dumps(request).encode(), JSON)
    place = "resourceLogs[0].scopeLogs[0].logRecords[1]"
    assert json.loads(answer.body) == {
        "partialSuccess": {"rejectedLogRecords": "1", "errorMessage": f"{place}: attributes is not a list"}
    }
    cut = post(served, protobuf_of(request_from("partial", "two", "three"))[:-3])
    success = ExportLogsServiceResponse.FromString(cut.body).partial_success
    assert (success.rejected_log_records, success.error_message[:40]) == (1, "resource_logs[0].scope_logs[0].log_recor")
    assert [row["message"] for row in records(served, "partial")] == ["one", "two"]


def test_what_cannot_be_decoded_is_refused_with_the_place_in_the_encoding_of_the_request(served: Served) -> None:
    answer = post(served, b'{"resourceLogs": [}', JSON)
    assert (answer.status, answer.headers["content-type"]) == (400, JSON)
    assert json.loads(answer.body) == {"code": 3, "message": "character 18: not JSON: Expecting value"}
    answer = post(served, b"hello")
    assert (answer.status, status_of(answer)[0]) == (400, 3)
    answer = post(served, b"no gzip", PROTOBUF, {"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert status_of(answer)[1].startswith("the body cannot be decompressed")


def test_a_body_that_is_too_large_after_decompression_is_refused(served: Served) -> None:
    answer = post(served, gzip.compress(b" " * (1 << 20) + b"{}"), JSON, {"Content-Encoding": "gzip"})
    assert (answer.status, json.loads(answer.body)["code"]) == (413, 8)


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused(served: Served, content_type: str) -> None:
    answer = post(served, b"{}", content_type)
    assert (answer.status, json.loads(answer.body)["message"]) == (
        415,
        "Content-Type must be application/x-protobuf or application/json",
    )


@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_other_signals_are_refused_with_what_to_set(served: Served, signal: str) -> None:
    answer = served.send("POST", f"/v1/{signal}", b"", {"Content-Type": PROTOBUF})
    assert answer.status == 404
    assert status_of(answer)[0] == 12
    assert "OTEL_TRACES_EXPORTER=none" in status_of(answer)[1]


def test_a_store_that_is_behind_is_a_reason_to_come_back(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served.server.context.intake._queue, "_most_rows", 0)  # type: ignore[attr-defined] # Intake's
    monkeypatch.setattr(served.server.context.intake._queue, "_bytes", 1)  # type: ignore[attr-defined] # Intake's
    answer = post(served, protobuf_of(request_from("behind", "one")))
    assert (answer.status, answer.headers["retry-after"], status_of(answer)[0]) == (503, "1", 14)


def test_a_request_without_records_is_a_success(served: Served) -> None:
    assert post(served, b"").status == 200
    assert post(served, b"{}", JSON).status == 200


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
def test_what_the_exporter_of_python_sends_is_stored(served: Served, compression: Compression) -> None:
    service = f"python-{compression.value}"
    exporter = OTLPLogExporter(f"{served.url}/v1/logs", compression=compression)
    provider = LoggerProvider(resource=Resource({"service.name": service}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter))
    sent = LogRecord(
        timestamp=TIME_NS,
        severity_number=SeverityNumber.WARN,
        severity_text="WARNING",
        body="cart 7 is full",
        attributes={"http.request.method": "PUT", "cart.items": 3},
    )
    provider.get_logger("shop.cart").emit(sent)
    provider.shutdown()
    [row] = records(served, service)
    attributes = json.loads(row["attributes"])
    assert (row["message"], row["severity"], row["request_method"]) == ("cart 7 is full", "warning", "PUT")
    assert (attributes["cart.items"], attributes["otel.scope.name"]) == (3, "shop.cart")
    assert attributes["service.name"] == service


def test_the_exporter_of_python_sends_again_while_the_server_is_away_and_nothing_is_stored_twice(
    served: Served,
) -> None:
    collected = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # of OpenTelemetry
    provider = LoggerProvider(resource=Resource({"service.name": "restart"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(collected))
    logger = provider.get_logger("shop")
    for number in range(100):
        logger.emit(LogRecord(timestamp=TIME_NS, body=f"line {number}"))
    batches = [collected.get_finished_logs()[at : at + 10] for at in range(0, 100, 10)]
    exporter = OTLPLogExporter(f"{served.url}/v1/logs")

    def export() -> None:
        for batch in batches:
            exporter.export(batch)

    sending = threading.Thread(target=export)
    served.server.close()
    sending.start()
    served.start()
    sending.join(30)
    export()  # as a sender does that missed every answer
    exporter.shutdown()  # type: ignore[no-untyped-call] # of OpenTelemetry
    provider.shutdown()
    assert sorted(row["message"] for row in records(served, "restart")) == sorted(f"line {n}" for n in range(100))
