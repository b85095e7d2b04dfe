"""deploy/compose.yaml names files that exist, and its parts fit together. No test has Docker."""

import re
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own; openapi-spec-validator brings yaml

from deploy.dashboards import DASHBOARDS, iter_queries
from puppylog.model.token import is_token
from support.inprocess import InProcess

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: Mapping[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Mapping[str, Mapping[str, Any]] = COMPOSE["services"]
SOURCES = yaml.safe_load((DEPLOY / "compose" / "datasources.yaml").read_text(encoding="utf-8"))["datasources"]
SECRETS = "/run/puppylog"

each_service = pytest.mark.parametrize("service", SERVICES)


def mounts_of(service: str) -> list[tuple[str, str]]:
    """Return what a service mounts, and where."""
    found = (re.sub(r"\$\{\w+:-(.*?)\}", r"\1", mount).split(":") for mount in SERVICES[service].get("volumes", []))
    return [(words[0], words[1]) for words in found]


@each_service
def test_every_mounted_file_exists_and_every_volume_is_declared(service: str) -> None:
    for source, _ in mounts_of(service):
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
        elif not source.startswith("/"):
            assert source in COMPOSE["volumes"]


def test_only_this_machine_reaches_a_port() -> None:
    ports = {service: SERVICES[service].get("ports", []) for service in SERVICES}
    assert {service for service, listed in ports.items() if listed} == {"puppylog", "grafana"}
    assert all(port.startswith("127.0.0.1:") for listed in ports.values() for port in listed)


@each_service
def test_no_secret_is_in_the_file(service: str) -> None:
    environment = SERVICES[service].get("environment", {})
    secret = {name: value for name, value in environment.items() if re.search("PASSWORD|TOKEN|SERVICEFILE", name)}
    assert all(str(value).startswith(f"{SECRETS}/") for value in secret.values())


@each_service
def test_what_runs_has_a_health_check_and_what_it_waits_for_exists(service: str) -> None:
    described = SERVICES[service]
    assert (described["restart"] == "unless-stopped") == ("healthcheck" in described)
    for other, wanted in described.get("depends_on", {}).items():
        healthy = "healthcheck" in SERVICES[other]
        assert wanted["condition"] == ("service_healthy" if healthy else "service_completed_successfully")


def make_secrets(folder: Path) -> dict[str, str]:
    script = (DEPLOY / "compose" / "make-secrets.sh").read_text(encoding="utf-8")
    subprocess.run(["/bin/sh", "-c", script.replace(f"cd {SECRETS}", f'cd "{folder}"')], check=True)
    return {path.name: path.read_text(encoding="ascii") for path in folder.iterdir()}


def test_secrets_are_made_once_and_are_those_that_the_services_read(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    assert make_secrets(tmp_path) == made
    assert is_token(made["grafana-token"])
    assert len(set(made.values())) == len(made)
    assert made["db-password"] in made["pg_service.conf"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o444 for path in tmp_path.iterdir())
    texts = [path.read_text(encoding="utf-8") for path in (DEPLOY / "compose").iterdir()]
    named = set(re.findall(rf"{SECRETS}/([\w.-]+)", "".join([*texts, (DEPLOY / "compose.yaml").read_text()])))
    assert named == set(made)


def test_the_configuration_is_valid_and_has_the_metrics_of_the_dashboards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = DEPLOY / "compose" / "puppylog.toml"
    checked = InProcess(capsys)("config", "check", str(path))
    assert checked.code == 0, checked.err
    declared = set(re.findall(r'^name = "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE))
    queries = [query.sql for dashboard in DASHBOARDS.values() for query in iter_queries(dashboard)]
    read = {name for sql in queries for name in re.findall(r"read_metric\(\s*'(\w+)'", sql)}
    assert read
    assert read <= declared


def test_the_data_sources_are_those_that_dashboards_and_services_name() -> None:
    used = {(found["type"], found["uid"]) for dashboard in DASHBOARDS.values() for found in iter_sources(dashboard)}
    assert used
    assert used <= {(source["type"], source["uid"]) for source in SOURCES}
    hosts = {re.sub(r"^\w+://|:\d+$", "", source["url"]) for source in SOURCES}
    assert hosts <= set(SERVICES)
    grafana = {target for _, target in mounts_of("grafana")}
    assert SERVICES["grafana"]["environment"]["PUPPYLOG_GRAFANA_DASHBOARDS"] in grafana


def iter_sources(value: Any) -> "list[dict[str, str]]":
    """Return every reference to a data source in a dashboard."""
    if isinstance(value, list):
        return [found for part in value for found in iter_sources(part)]
    if not isinstance(value, dict):
        return []
    own = value.get("datasource")
    found = [own] if isinstance(own, dict) and own.get("uid") not in {None, "-- Grafana --"} else []
    return [*found, *(inner for part in value.values() for inner in iter_sources(part))]
