"""The examples in docstrings are run, and the modules that a caller meets first have one."""

import doctest
import importlib
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src"
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in SOURCE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_are_true(module: str) -> None:
    results = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize(
    "module",
    [
        "puppylog.collect.collector",
        "puppylog.errors",
        "puppylog.formats.registry",
        "puppylog.model.alert",
        "puppylog.model.metric",
        "puppylog.monitor.alerts",
        "puppylog.monitor.steps",
        "puppylog.stores.connect",
        "puppylog.tail",
    ],
)
def test_a_module_that_a_caller_meets_first_has_an_example(module: str) -> None:
    assert module in MODULES
