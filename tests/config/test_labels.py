"""Labels and containers in ``[[source]]``."""

from pathlib import Path

import pytest

from puppylog.collect.containers import Runtime
from puppylog.config.reading import read_configuration
from puppylog.config.sources import make_options
from puppylog.errors import ConfigurationError


def write(directory: Path, text: str) -> list[Path]:
    path = directory / "puppylog.toml"
    path.write_text(text)
    return [path]


@pytest.mark.parametrize(
    ("key", "runtime", "pattern"),
    [
        ("kubernetes", Runtime.KUBERNETES, "/var/log/pods/*/*/*.log"),
        ("docker", Runtime.DOCKER, "/var/lib/docker/containers/*/*-json.log"),
    ],
)
def test_a_source_of_containers_has_paths_of_its_own(tmp_path: Path, key: str, runtime: Runtime, pattern: str) -> None:
    (source,) = read_configuration(write(tmp_path, f'[[source]]\n{key} = true\nlabels = {{ env = "prod" }}')).sources
    options = make_options(source, None, {"TZ": "UTC"})
    assert (options.runtime, options.paths, options.labels) == (runtime, (pattern,), {"env": "prod"})


def test_labels_of_pods_may_be_named(tmp_path: Path) -> None:
    text = '[[source]]\nkubernetes = true\npod_labels = ["app", "app.kubernetes.io/*"]'
    (source,) = read_configuration(write(tmp_path, text)).sources
    assert make_options(source, None, {"TZ": "UTC"}).pod_labels == ("app", "app.kubernetes.io/*")


def test_other_paths_of_containers_may_be_named(tmp_path: Path) -> None:
    (source,) = read_configuration(write(tmp_path, '[[source]]\nkubernetes = true\npaths = ["pods/*/*/*.log"]')).sources
    assert source.paths == (f"{tmp_path}/pods/*/*/*.log",)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kubernetes = true\ndocker = true", "kubernetes and docker exclude each other"),
        ("kubernetes = true\njournal = true", "kubernetes is only for files"),
        ('docker = true\npod_labels = ["app"]', "pod_labels is only for logs of Kubernetes"),
        ('kubernetes = true\npod_labels = ["a b"]', "the label 'a b' of pods"),
        ('paths = ["a"]\nlabels = { "a b" = "c" }', "cannot use label 'a b'"),
        ('paths = ["a"]\nlabels = { a = "" }', "labels"),
        ('paths = ["a"]\nlabels = { a = 1 }', "labels"),
    ],
)
def test_a_fault_of_a_label_is_named(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError, match=fault):
        read_configuration(write(tmp_path, f"[[source]]\n{text}"))
