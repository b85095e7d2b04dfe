"""The decoder in C: under the sanitizers of a compiler, and for the requests of real senders."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource

from formats.native_builds import build_module, build_with_sanitizers, find_compiler, run_fuzzer
from puppylog.receive.otlp import native
from puppylog.receive.otlp.protobuf_request import _write_lines
from receive.otlp.fuzz import decode_or_refuse, iter_damaged, list_samples
from receive.otlp.requests import TIME_NS

_SOURCES = Path(str(native.__file__)).parent
_INPUTS = os.environ.get("PUPPYLOG_TEST_FUZZ_INPUTS", "1000")
_FUZZ_S = 120 + int(_INPUTS) / 50  # 50 requests per second at least


def test_what_the_exporter_of_python_sends_is_decoded_in_c() -> None:
    if native.records is None:
        pytest.skip("NOT TESTED: the decoder in C; it was not compiled here")
    collected = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # of OpenTelemetry
    provider = LoggerProvider(resource=Resource.create({"service.name": "shop"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(collected))
    attributes: dict[str, Any] = {"number": 1, "share": 0.25, "list": ["a", "b"], "yes": True}
    record = LogRecord(timestamp=TIME_NS, severity_number=SeverityNumber.INFO, body={"a": [1]}, attributes=attributes)
    provider.get_logger("cart", "1.0").emit(record)
    written = _write_lines(encode_logs(collected.get_finished_logs()).SerializeToString())
    provider.shutdown()
    assert written is not None
    [(source, lines)] = written
    assert source == b"shop"
    assert b'"number": 1, "share": 0.25, "list": ["a", "b"], "yes": true, "otel.scope.name": "cart"' in lines


@pytest.mark.timeout(_FUZZ_S + 60)
def test_damaged_requests_raise_nothing_but_the_decoders_own_error() -> None:
    inputs = int(_INPUTS)
    decoded = sum(decode_or_refuse(body) is not None for body in iter_damaged(list_samples(), 7, inputs))
    assert decoded > inputs / 10


@pytest.mark.long
@pytest.mark.timeout(_FUZZ_S + 60)
def test_damaged_requests_are_read_within_their_bounds_and_as_in_python() -> None:
    compiler = find_compiler()
    if compiler is None:
        pytest.skip("NOT TESTED: the decoder in C; there is no C compiler here")
    module, environment = build_with_sanitizers(compiler, partial(build_module, compiler, _SOURCES, "_records"))
    printed = run_fuzzer(
        "receive.otlp.fuzz", "--inputs", _INPUTS, "--module", str(module), environment=environment, timeout_s=_FUZZ_S
    )
    assert printed.startswith(f"{_INPUTS} requests")
