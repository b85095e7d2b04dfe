"""Random definitions that fit together, as a file or a store may have them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from puppylog.config.definition_set import DefinitionSet
from puppylog.errors import ExpressionError
from puppylog.model.alert import ALERT_STATISTICS, SEVERITIES, Alert, Comparison, NoData, define_alert
from puppylog.model.derived import define_derived
from puppylog.model.metric import Metric
from puppylog.model.retention import Retention
from puppylog.model.silence import Silence

PERIODS_S = (10, 45, 60)
SEGMENTS = (None, "host", "SPLIT_PART(request_route, '/', 2)")
FILTERS = (None, "status_code >= 500", "host = 'it''s \"a\" \\ é'")
FORMULAS = ("{0} / {1}", "{0} * 2", "({0} + {1}) / {0}")
NAMES = "abcd"

_KEEP_S = st.sampled_from([3600, 90 * 60, 30 * 86400])
_RETENTION = st.none() | st.builds(
    Retention,
    st.none() | _KEEP_S,
    st.lists(st.tuples(st.sampled_from(["shop", "mail"]), _KEEP_S), max_size=2, unique_by=lambda pair: pair[0]).map(
        tuple
    ),
    st.sampled_from([None, 200_000_000, 1_234_567_890]),
    st.sampled_from([None, "/dev/null/archive", '/dev/null/é "quoted"']),
)
_FAR = datetime(2999, 1, 1, 9, 30, tzinfo=UTC)
_SILENCES = st.dictionaries(
    st.sampled_from(["upgrade", 'night of "x"']),
    st.builds(
        Silence,
        st.just(""),
        st.sampled_from(["*", "db_?"]),
        st.sampled_from(["*", "shop/*"]),
        st.sampled_from([_FAR, _FAR - timedelta(days=400_000)]),
        st.sampled_from([_FAR + timedelta(hours=1), _FAR.replace(hour=11, tzinfo=timezone(timedelta(hours=1)))]),
        st.sampled_from(["", "ada"]),
        st.sampled_from(["", "a comment"]),
        st.just(True),
    ),
).map(lambda silences: tuple(replace(silence, name=name) for name, silence in silences.items()))
_SOME_NAMES = st.sets(st.sampled_from(NAMES))
_BASE = st.one_of(
    st.fixed_dictionaries({"statistic": st.sampled_from(["count", "rate"]), "property": st.just("*")}),
    st.fixed_dictionaries(
        {"statistic": st.just("ratio"), "property": st.just("*"), "of": st.just("status_code = 404")}
    ),
    st.fixed_dictionaries(
        {
            "statistic": st.sampled_from(["sum", "p99.9", "stddev"]),
            "property": st.sampled_from(["response_bytes", "attributes.took", "response_bytes / 1000"]),
        }
    ),
    st.fixed_dictionaries({"statistic": st.just("distinct"), "property": st.sampled_from(["host", "attributes.a.b"])}),
)


@st.composite
def definitions(draw: st.DrawFn, known: Mapping[str, Metric] | None = None) -> DefinitionSet:
    """Return definitions with few names, so that two draws have some in common.

    Args:
        draw: draws a value.
        known: metrics of the store by name, which alerts may judge and metrics may be derived from.
    """
    metrics = {name: _draw_metric(draw, name) for name in sorted(draw(_SOME_NAMES))}
    stored = dict(known or {})
    for name in ("d", "e", "f"):
        usable = sorted({**stored, **metrics})
        is_derived: bool = draw(st.booleans())
        if name not in metrics and usable and is_derived:
            formula = draw(st.sampled_from(FORMULAS)).format(*(draw(st.sampled_from(usable)) for _ in range(2)))
            try:
                metrics[name] = define_derived(name, formula, {**stored, **metrics})
            except ExpressionError:
                continue
    judged = {**stored, **metrics}
    alerts = [_draw_alert(draw, f"alert_{name}", judged) for name in sorted(draw(_SOME_NAMES)) if judged]
    return DefinitionSet((), tuple(metrics.values()), tuple(alerts), draw(_SILENCES), draw(_RETENTION))


def _draw_metric(draw: st.DrawFn, name: str) -> Metric:
    parts: Mapping[str, Any] = draw(_BASE)
    return Metric(
        name,
        period_s=draw(st.sampled_from(PERIODS_S)),
        segment=draw(st.sampled_from(SEGMENTS)),
        filter=draw(st.sampled_from(FILTERS)),
        refresh_s=draw(st.sampled_from([10, 60])),
        group=draw(st.sampled_from([None, "shop"])),
        **parts,
    )


def _draw_alert(draw: st.DrawFn, name: str, metrics: Mapping[str, Metric]) -> Alert:
    metric = metrics[draw(st.sampled_from(sorted(metrics)))]
    return define_alert(
        name,
        metric,
        statistic=draw(st.sampled_from(ALERT_STATISTICS)),
        comparison=draw(st.sampled_from(Comparison)),
        threshold=draw(st.sampled_from([0.0, 10.0, 0.05, -1e-9, 1.7e308])),
        window_s=metric.period_s * draw(st.sampled_from([1, 4, 12])),
        period_s=draw(st.sampled_from([None, 30])),
        for_s=draw(st.sampled_from([0, 60])),
        keep_firing_for_s=draw(st.sampled_from([0, 90])),
        delay_s=draw(st.sampled_from([None, 0, 7])),
        each_segment=metric.segment is not None and draw(st.booleans()),
        no_data=draw(st.sampled_from([None, *NoData])),
        contacts=draw(st.sampled_from([(), ("ops",), ("on-call", "ops")])),
        group_wait_s=draw(st.sampled_from([0, 30])),
        repeat_s=draw(st.sampled_from([0, 3600])),
        severity=draw(st.sampled_from(SEVERITIES)),
        summary=draw(st.sampled_from(["", 'a "quoted" \\ summary é'])),
    )
