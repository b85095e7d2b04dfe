"""The files for Grafana are consistent, and no panel treats log content as more than text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.dashboards import DASHBOARDS, FILES, GRAFANA, QUERIES, Json, Query
from deploy.macros import ALL

SOURCE = {"type": "grafana-postgresql-datasource", "uid": "puppylog"}
PANELS = {"timeseries", "table", "stat"}  # those that show data as text and lines, and nothing as markup
CELLS = {"auto", "color-text"}
MACROS = {"__timeFilter", "__timeGroupAlias", "__timeFrom", "__timeTo"}
VARIABLES = {"group", "stream", "section"}
ENVIRONMENT = re.compile(r"\$\{(\w+)\}")
SETTING = re.compile(r"^ *(?:- )?(\w+): *(\S.*)?$")

dashboards = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=list(DASHBOARDS))
queries = pytest.mark.parametrize("query", QUERIES, ids=[query.name for query in QUERIES])


def read_settings(path: Path) -> dict[str, str]:
    """Return the settings of a YAML file, by key, whatever they are nested in. Each key must occur once."""
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    matches = [match for line in lines if (match := SETTING.match(line))]
    assert len(matches) == len(lines), "there is more in it than settings"
    settings = {match[1]: match[2] or "" for match in matches}
    assert len(settings) == len(matches), "a key is there twice"
    return settings


def iter_objects(value: Any) -> Iterator[Json]:
    """Yield every object in a JSON value."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from iter_objects(part)


def test_the_data_source_is_the_one_that_the_dashboards_name() -> None:
    settings = read_settings(GRAFANA / "provisioning" / "datasources" / "puppylog.yaml")
    assert {name: settings[name] for name in SOURCE} == SOURCE
    assert settings["apiVersion"] == "1"
    assert settings["timescaledb"] in {"true", "false"}  # from a variable it would be text, which Grafana refuses
    assert settings["postgresVersion"].isdecimal()


def test_the_data_source_has_no_secret_and_no_fixed_host() -> None:
    settings = read_settings(GRAFANA / "provisioning" / "datasources" / "puppylog.yaml")
    for setting in ("url", "user", "password", "database", "sslmode"):
        assert ENVIRONMENT.fullmatch(settings[setting]), setting


def test_the_provider_puts_the_dashboards_into_a_folder() -> None:
    settings = read_settings(GRAFANA / "provisioning" / "dashboards" / "puppylog.yaml")
    assert settings["type"] == "file"
    assert ENVIRONMENT.fullmatch(settings["path"])


def test_every_variable_of_the_environment_is_explained() -> None:
    page = (GRAFANA.parents[1] / "docs" / "grafana.md").read_text(encoding="utf-8")
    used = {name for path in GRAFANA.rglob("*.yaml") for name in ENVIRONMENT.findall(path.read_text(encoding="utf-8"))}
    assert used == set(re.findall(r"^\| `(PUPPYLOG_GRAFANA_\w+)` \|", page, re.MULTILINE))


def test_every_panel_is_explained() -> None:
    page = (GRAFANA.parents[1] / "docs" / "grafana.md").read_text(encoding="utf-8")
    titles = [panel["title"] for dashboard in DASHBOARDS.values() for panel in dashboard["panels"]]
    assert [title for title in titles if f"| **{title}** |" not in page] == []


def test_dashboards_have_different_uids() -> None:
    assert [path.stem for path in FILES] == [dashboard["uid"] for dashboard in DASHBOARDS.values()]
    titles = [dashboard["title"] for dashboard in DASHBOARDS.values()]
    assert sorted(titles) == ["Puppylog: collectors and jobs", "Puppylog: traffic"]


@dashboards
def test_a_dashboard_has_a_current_schema_and_no_id_of_a_server(dashboard: Json) -> None:
    assert dashboard["schemaVersion"] >= 39
    assert "id" not in dashboard


@dashboards
def test_panels_have_different_titles_and_descriptions(dashboard: Json) -> None:
    panels = dashboard["panels"]
    for part in ("id", "title"):
        assert len({panel[part] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if not panel["description"]] == []


@dashboards
def test_panels_do_not_overlap(dashboard: Json) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells


@dashboards
def test_every_query_uses_the_one_data_source(dashboard: Json) -> None:
    sources = [part["datasource"] for part in iter_objects(dashboard) if "datasource" in part]
    assert len(sources) > len(dashboard["panels"])
    assert [source for source in sources if source != SOURCE] == []


@dashboards
def test_no_panel_makes_markup_or_links_of_data(dashboard: Json) -> None:
    assert {panel["type"] for panel in dashboard["panels"]} <= PANELS
    cells = [part["cellOptions"]["type"] for part in iter_objects(dashboard) if "cellOptions" in part]
    cells += [part["value"]["type"] for part in iter_objects(dashboard) if part.get("id") == "custom.cellOptions"]
    assert set(cells) <= CELLS
    assert [
        part for part in iter_objects(dashboard) if part.get("links") or part.get("mode") in {"html", "markdown"}
    ] == []


@dashboards
def test_the_value_of_all_differs_from_every_value_of_a_variable(dashboard: Json) -> None:
    for variable in dashboard["templating"]["list"]:
        assert (variable["allValue"], variable["current"]["value"]) == ("'all'", [ALL])
        assert variable["definition"] == variable["query"]
        assert variable["multi"]
        assert variable["includeAll"]


@dashboards
def test_an_annotation_is_one_query_with_text(dashboard: Json) -> None:
    names = [annotation["name"] for annotation in dashboard["annotations"]["list"]]
    assert names == ["Alerts firing", "Alert transitions"]


@queries
def test_a_query_uses_only_macros_and_variables_that_exist(query: Query) -> None:
    own = {variable["name"] for variable in DASHBOARDS[query.dashboard]["templating"]["list"]}
    assert own <= VARIABLES
    rest = re.sub(r"\$\{(\w+):sqlstring\}", lambda match: "" if match[1] in own else match[0], query.sql)
    rest = re.sub(r"\$(\w+)\(", lambda match: "(" if match[1] in MACROS else match[0], rest)
    rest = rest.replace("$__interval_ms", "").replace("$__interval", "")
    assert "$" not in rest
    assert "[[" not in rest


@queries
def test_a_query_of_records_says_how_many_it_reads_at_most(query: Query) -> None:
    panels = {panel["title"]: panel for panel in DASHBOARDS[query.dashboard]["panels"]}
    reads, limits = query.sql.count("FROM puppylog.log_records"), query.sql.count("ORDER BY ts DESC\n")
    assert reads == limits == query.sql.count("LIMIT 20000\n")
    if reads:
        assert "newest 20,000 records" in panels[query.title]["description"]


@queries
def test_a_panel_with_intervals_has_a_shortest_interval(query: Query) -> None:
    panels = {panel["title"]: panel for panel in DASHBOARDS[query.dashboard]["panels"]}
    if "$__interval" in query.sql:
        assert "interval" in panels[query.title]  # or Grafana may take the data source's
