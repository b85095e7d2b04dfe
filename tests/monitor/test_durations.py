import pytest

from puppylog.monitor.durations import Duration, find_duration


@pytest.mark.parametrize(
    ("attributes", "name", "unit_s"),
    [
        ({"duration_us": "123456"}, "duration_us", 1e-6),
        ({"duration_s": "2"}, "duration_s", 1.0),
        ({"elapsedMs": "7"}, "elapsedMs", 1e-3),
        ({"latency-ns": "7000"}, "latency-ns", 1e-9),
        ({"request_time": "0.003"}, "request_time", 1.0),  # nginx
        ({"time-taken": "283"}, "time-taken", 1e-3),  # IIS
        ({"time-taken": "0.283"}, "time-taken", 1.0),  # CloudFront
        ({"duration": "0.017557019"}, "duration", 1.0),  # Caddy
        ({"duration": "17557019"}, "duration", None),  # Traefik: nanoseconds, but others write milliseconds
        ({"latency": "3.5"}, "latency", None),
        ({"took": "12", "response_time_ms": "12"}, "response_time_ms", 1e-3),
    ],
)
def test_a_duration_is_found_by_its_name_and_its_unit_by_name_and_example(
    attributes: dict[str, str], name: str, unit_s: float | None
) -> None:
    assert find_duration(attributes) == Duration(name, unit_s)


@pytest.mark.parametrize(
    "attributes", [{}, {"user": "7"}, {"duration": "1.5ms"}, {"stock": "1"}, {"durations_ms": "1"}]
)
def test_other_attributes_and_texts_are_no_durations(attributes: dict[str, str]) -> None:
    assert find_duration(attributes) is None


def test_the_name_of_a_duration_cannot_end_the_text_in_sql() -> None:
    assert "''" in Duration("a'b", 1.0).render("duckdb")
