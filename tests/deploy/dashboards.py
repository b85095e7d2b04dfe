"""The shipped dashboards, and every query in them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))


def read_dashboard(path: Path) -> Json:
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


DASHBOARDS = {path.stem: read_dashboard(path) for path in FILES}


@dataclass(frozen=True, slots=True)
class Query:
    """A query of a dashboard."""

    dashboard: str  # the uid of the dashboard
    title: str  # of the panel, the variable or the annotation
    kind: str  # a panel's type, or "variable" or "annotation"
    format: str
    interval: str  # the shortest interval that Grafana may choose
    sql: str

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.title}"


def iter_queries(dashboard: Json) -> Iterator[Query]:
    uid = dashboard["uid"]
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            interval = panel.get("interval", "1s")
            yield Query(uid, panel["title"], panel["type"], target["format"], interval, target["rawSql"])
    for variable in dashboard["templating"]["list"]:
        yield Query(uid, variable["name"], "variable", "table", "1s", variable["query"])
    for annotation in dashboard["annotations"]["list"]:
        target = annotation["target"]
        yield Query(uid, annotation["name"], "annotation", target["format"], "1s", target["rawSql"])


QUERIES = [query for dashboard in DASHBOARDS.values() for query in iter_queries(dashboard)]


def find_query(title: str) -> Query:
    """Return the query of this title; if several dashboards have one, it must be the same in all of them."""
    found = {query.sql: query for query in QUERIES if query.title == title}
    assert len(found) == 1, f"{len(found)} different queries are called {title!r}"
    return next(iter(found.values()))
