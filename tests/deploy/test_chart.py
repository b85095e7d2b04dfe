"""The Helm chart and the plain manifests that are rendered from it.

helm and the package kubernetes_validate are larger than Puppylog, so no test needs them: the tests that do are skipped
without them. The other tests read the rendered manifests.
"""

import importlib
import importlib.util
import json
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are a package of their own; openapi-spec-validator brings yaml

from puppylog import __version__
from puppylog.model.token import is_token
from support.certificate import write_certificate
from support.inprocess import InProcess

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "puppylog"
VALUES = sorted((DEPLOY / "helm" / "values").glob("*.yaml"))
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
KUBERNETES = ("1.27", "1.31", "1.34", "1.37")
HELM = shutil.which("helm")
Object = Mapping[str, Any]

needs_helm = pytest.mark.skipif(HELM is None, reason="NOT TESTED: the Helm chart; there is no helm on the PATH")
needs_schemas = pytest.mark.skipif(
    importlib.util.find_spec("kubernetes_validate") is None,
    reason="NOT TESTED: manifests against the schemas of Kubernetes; the package kubernetes-validate is not installed",
)
each_values = pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
each_manifest = pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda path: path.stem)


def read_objects(text: str) -> list[Object]:
    return [found for found in yaml.safe_load_all(text) if found is not None]


def objects_of(manifest: Path) -> list[Object]:
    return read_objects(manifest.read_text(encoding="utf-8"))


def iter_pods(manifest: Path) -> Iterator[tuple[str, Object]]:
    """Yield the kind of each workload, and the specification of its pods."""
    for found in objects_of(manifest):
        if found["kind"] in {"DaemonSet", "StatefulSet"}:
            yield found["kind"], found["spec"]["template"]["spec"]


def containers_of(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def render(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [str(HELM), "template", "puppylog", str(CHART), "--namespace", "puppylog", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_each_values_file_has_its_manifest() -> None:
    assert [path.name for path in VALUES] == [path.name for path in MANIFESTS] != []


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["version"], str(chart["appVersion"])) == (__version__, __version__)


@needs_helm
@each_values
def test_a_manifest_is_what_helm_renders_of_its_values(values: Path) -> None:
    manifest = DEPLOY / "kubernetes" / values.name
    rendered = render("--skip-tests", "--values", str(values))
    assert rendered.returncode == 0, rendered.stderr
    assert read_objects(rendered.stdout) == objects_of(manifest), "run `make manifests`"


@needs_helm
@each_values
def test_helm_finds_no_fault_in_the_chart(values: Path) -> None:
    command = [str(HELM), "lint", "--strict", str(CHART), "--values", str(values)]
    checked = subprocess.run(command, check=False, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@needs_helm
@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"store": {"kind": "mysql"}}, "kind"),
        ({"store": {"kind": "external"}}, "existingSecret"),
        ({"tls": {"enabled": True}}, "secretName"),
        ({"colector": {}}, "colector"),
        ({"store": {"embedded": {"size": "much"}}}, "size"),
        ({"image": {"digest": "sha256:1"}}, "digest"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(tmp_path: Path, values: dict[str, Any], cause: str) -> None:
    wrong = tmp_path / "values.yaml"
    wrong.write_text(json.dumps(values), encoding="utf-8")
    refused = render("--values", str(wrong))
    assert refused.returncode != 0
    assert cause in refused.stderr


@needs_helm
def test_the_tokens_that_the_chart_makes_are_tokens() -> None:
    (secret,) = (found for found in read_objects(render().stdout) if found["kind"] == "Secret")
    tokens = [b64decode(text).decode() for text in secret["data"].values()]
    assert [is_token(token) for token in tokens] == [True, True]
    assert tokens[0] != tokens[1]


@needs_schemas
@pytest.mark.parametrize("version", KUBERNETES)
@each_manifest
def test_a_manifest_fits_the_schemas_of_kubernetes(manifest: Path, version: str) -> None:
    validate: Any = importlib.import_module("kubernetes_validate")
    for found in objects_of(manifest):
        if found["kind"] != "ServiceMonitor":  # of the Prometheus operator
            validate.validate(found, version, strict=True)


@each_manifest
def test_no_container_may_do_more_than_read_logs_and_write_its_volumes(manifest: Path) -> None:
    kinds = set()
    for kind, pod in iter_pods(manifest):
        kinds.add(kind)
        assert pod["automountServiceAccountToken"] is (pod.get("serviceAccountName") is not None)
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
        for container in containers_of(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
    assert kinds == {"DaemonSet", "StatefulSet"}


@each_manifest
def test_only_the_collector_is_root_and_reads_files_of_the_node(manifest: Path) -> None:
    for kind, pod in iter_pods(manifest):
        nodes = {volume["name"] for volume in pod["volumes"] if "hostPath" in volume}
        if kind == "StatefulSet":
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert nodes == set()
        mounts = [mount for container in containers_of(pod) for mount in container["volumeMounts"]]
        assert all(mount.get("readOnly") is True for mount in mounts if mount["name"] in nodes)


@each_manifest
def test_only_a_collector_of_labels_of_pods_may_ask_the_api_and_only_for_pods(manifest: Path) -> None:
    found = {item["kind"]: item for item in objects_of(manifest)}
    collected = [item["data"]["puppylog.toml"] for item in objects_of(manifest) if item["kind"] == "ConfigMap"]
    collector = found["DaemonSet"]["spec"]["template"]["spec"]
    if not any("pod_labels" in text for text in collected):
        assert not {"ServiceAccount", "ClusterRole", "ClusterRoleBinding"} & set(found)
        assert "serviceAccountName" not in collector
        return
    assert found["ClusterRole"]["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
    ]
    name = found["ServiceAccount"]["metadata"]["name"]
    assert collector["serviceAccountName"] == name
    assert found["ClusterRoleBinding"]["roleRef"]["name"] == found["ClusterRole"]["metadata"]["name"]
    assert found["ClusterRoleBinding"]["subjects"] == [
        {"kind": "ServiceAccount", "name": name, "namespace": "puppylog"}
    ]
    assert "serviceAccountName" not in found["StatefulSet"]["spec"]["template"]["spec"]


@each_manifest
def test_every_mount_has_its_volume(manifest: Path) -> None:
    templates = {
        claim["metadata"]["name"]
        for found in objects_of(manifest)
        if found["kind"] == "StatefulSet"
        for claim in found["spec"].get("volumeClaimTemplates", [])
    }
    for kind, pod in iter_pods(manifest):
        volumes = {volume["name"] for volume in pod["volumes"]} | (templates if kind == "StatefulSet" else set())
        mounted = {mount["name"] for container in containers_of(pod) for mount in container["volumeMounts"]}
        assert mounted == volumes


@each_manifest
def test_the_configurations_are_valid(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for secret in ("secrets/slack-url", "tokens/ingest-token", "tls/ca.crt"):
        (tmp_path / secret).parent.mkdir(exist_ok=True)
        (tmp_path / secret).write_text("https://hooks.example.org/services/1", encoding="utf-8")
    configurations = [found["data"]["puppylog.toml"] for found in objects_of(manifest) if found["kind"] == "ConfigMap"]
    assert len(configurations) == 2
    for number, configuration in enumerate(configurations):
        if "tls.crt" in configuration:
            certificate = write_certificate(tmp_path / "tls")
            for name in ("tls.crt", "tls.key"):
                shutil.copy(certificate, tmp_path / "tls" / name)
        written = tmp_path / f"{number}.toml"
        written.write_text(configuration.replace("/etc/puppylog/", f"{tmp_path}/"), encoding="utf-8")
        checked = InProcess(capsys)("config", "check", str(written))
        assert checked.code == 0, checked.err
