"""The commands apply and export: what they print, and their exit codes."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from puppylog.config import apply as applying
from puppylog.config.definition_set import DefinedStore
from puppylog.config.step import Step
from puppylog.errors import StoreUnavailable
from support.inprocess import InProcess

FILE = """
[[metric]]
name = "{prefix}errors"
filter = "status_code >= 500"
segment = "host"
period = "10s"
group = "shop"

[[metric]]
name = "{prefix}total"
segment = "host"
period = "10s"
group = "shop"

[[metric]]
name = "{prefix}share"
from = "{prefix}errors / {prefix}total * 100"

[[alert]]
name = "{prefix}many"
metric = "{prefix}share"
comparison = ">"
threshold = 5
"""


def write(path: Path, text: str, prefix: str) -> Path:
    path.write_text(text.replace("{prefix}", prefix), encoding="utf-8")
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "puppylog.toml"


def test_a_file_is_applied_once_and_then_there_is_nothing_to_do(cli: InProcess, config: Path) -> None:
    write(config, FILE, "once_")
    dry = cli("apply", "-c", str(config), "--dry-run")
    assert (dry.code, dry.err) == (1, "puppylog: 4 to create; 0 unchanged\n")
    assert [line for line in dry.out.splitlines() if line[0] != " " and "once_" in line] == [
        "+ metric once_errors",
        "+ metric once_total",
        "+ metric once_share",
        "+ alert once_many",
    ]
    made = cli("apply", "-c", str(config))
    assert (made.code, made.out) == (0, dry.out)
    assert made.err.splitlines()[1:] == [
        "puppylog: created metric once_errors",
        "puppylog: created metric once_total",
        "puppylog: created metric once_share",
        "puppylog: created alert once_many",
    ]
    for arguments in (["apply"], ["apply", "--dry-run"]):
        again = cli(*arguments, "-c", str(config))
        assert (again.code, "once_" in again.out) == (0, False)
        assert again.err == "puppylog: nothing to do: the store has what the file declares\n"


def test_an_exported_file_changes_nothing(cli: InProcess, config: Path) -> None:
    write(config, FILE, "exported_")
    assert cli("apply", "-c", str(config), "-q").code == 0
    exported = cli("export")
    assert (exported.code, exported.err) == (0, "")
    config.write_text(exported.out, encoding="utf-8")
    dry = cli("apply", "-c", str(config), "--prune", "--dry-run")
    assert (dry.code, dry.out) == (0, "")


def test_the_plan_is_data_for_programs(cli: InProcess, config: Path) -> None:
    write(config, FILE, "data_")
    assert cli("apply", "-c", str(config), "-q", "-o", "json").code == 0
    write(config, FILE.replace("threshold = 5", "threshold = 7.5"), "data_")
    rows = json.loads(cli("apply", "-c", str(config), "--dry-run", "-q", "-o", "json").out)
    assert [row for row in rows if row["action"] != "keep"] == [
        {
            "action": "update",
            "kind": "alert",
            "name": "data_many",
            "note": None,
            "fields": [{"key": "threshold", "before": "5", "after": "7.5"}],
        }
    ]


def test_what_would_delete_history_needs_prune(cli: InProcess, config: Path) -> None:
    write(config, FILE, "kept_")
    assert cli("apply", "-c", str(config), "-q").code == 0
    write(config, FILE.replace('metric = "{prefix}share"', 'metric = "{prefix}total"'), "kept_")
    for arguments in (["--dry-run"], []):
        refused = cli("apply", "-c", str(config), *arguments)
        assert refused.code == 78
        assert refused.err.splitlines()[-1] == (
            "puppylog: cannot apply the configuration: alert kept_many: it judges metric kept_total now, and its "
            "history would be deleted; allow it with --prune"
        )
    assert json.loads(cli("monitor", "alerts", "meta", "kept_many", "-o", "json").out)[0]["metric"] == "kept_share"
    assert cli("apply", "-c", str(config), "--prune", "--dry-run").code == 1
    assert cli("apply", "-c", str(config), "--prune").code == 0
    assert json.loads(cli("monitor", "alerts", "meta", "kept_many", "-o", "json").out)[0]["metric"] == "kept_total"


def test_what_is_not_in_the_file_stays_until_it_is_pruned(cli: InProcess, config: Path) -> None:
    write(config, FILE, "pruned_")
    assert cli("apply", "-c", str(config), "-q").code == 0
    config.write_text("")
    kept = cli("apply", "-c", str(config), "--dry-run")
    assert kept.code == 0
    assert "= alert pruned_many  not in the file; stays\n" in kept.out
    pruned = cli("apply", "-c", str(config), "--prune")
    assert pruned.code == 0
    assert "puppylog: deleted alert pruned_many\n" in pruned.err
    assert cli("export").out.count("\n") == 1
    assert cli("monitor", "metrics", "list", "-o", "json").out == "[]\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('[[alert]]\nname = "a"\nmetric = "nope"\ncomparison = ">"\nthreshold = 1', 78, "there is no metric 'nope'"),
        ('[[metric]]\nname = "a"\nfrom = "nope / 2"', 78, "there is no metric 'nope'"),
        ('[[metric]]\nname = "a"\nperod = "1m"', 78, "unknown key 'perod'"),
        ("[[metric]", 78, "cannot read"),
        ('[[metric]]\nname = "a"\nfilter = "length(status_code) > 1"', 78, "length(status_code)"),
    ],
)
def test_a_wrong_file_changes_nothing(cli: InProcess, config: Path, text: str, code: int, message: str) -> None:
    config.write_text(text, encoding="utf-8")
    failed = cli("apply", "-c", str(config))
    assert failed.code == code
    assert message in failed.err.splitlines()[-1]
    assert "Traceback" not in failed.err
    assert '"a"' not in cli("export").out


def test_a_contact_that_the_file_lacks_is_a_warning(cli: InProcess, config: Path) -> None:
    write(config, FILE.replace("threshold = 5", 'threshold = 5\ncontacts = ["ops"]'), "told_")
    made = cli("apply", "-c", str(config))
    assert made.code == 0
    assert f"{config}: [[alert]] \"told_many\" names contact 'ops', which the file does not have" in made.err
    assert "The alerts name ops: declare each as [[contact]]." in cli("export").out


def test_apply_needs_a_file(cli: InProcess, tmp_path: Path) -> None:
    missing = cli("apply")
    assert (missing.code, missing.err) == (
        78,
        "puppylog: cannot find a configuration file: name one: puppylog apply -c FILE\n",
    )
    assert cli("apply", "-c", str(tmp_path / "nope.toml")).code == 78


def test_a_failure_in_the_middle_says_what_is_done_and_what_is_not(
    cli: InProcess, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(config, FILE, "half_")
    do = applying.do_step

    def fail(store: DefinedStore, step: Step, clock: Callable[[], datetime]) -> None:
        if step.name == "half_share":
            raise StoreUnavailable("reach", "the store", "it has gone away")
        do(store, step, clock)

    with monkeypatch.context() as patch:
        patch.setattr(applying, "do_step", fail)
        failed = cli("apply", "-c", str(config))
    assert failed.code == 69
    *_, first, second, left, cause = failed.err.splitlines()
    assert (first, second) == ("puppylog: created metric half_errors", "puppylog: created metric half_total")
    undone = "create metric half_share, create alert half_many"
    assert left == f"puppylog: 2 of 4 changes are made; not made: {undone}; apply it again to make them"
    assert cause == "puppylog: cannot reach the store: it has gone away"
    again = cli("apply", "-c", str(config))
    assert again.code == 0
    assert "2 to create; 2 unchanged" in again.err
