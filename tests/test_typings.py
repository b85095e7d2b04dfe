"""The types that Puppylog gives to pyarrow are of what pyarrow has."""

import ast
import importlib
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "typings" / "pyarrow"
FILES = sorted(FOLDER.glob("*.pyi"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_name_with_types_exists(file: Path) -> None:
    module = importlib.import_module("pyarrow" if file.stem == "__init__" else f"pyarrow.{file.stem}")
    missing = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        if not hasattr(module, node.name):
            missing.append(node.name)
            continue
        members = {member.name for member in node.body if isinstance(member, ast.FunctionDef)}
        members -= {"__buffer__"}  # of what has a buffer Python knows since 3.12
        missing += [f"{node.name}.{name}" for name in members if not hasattr(getattr(module, node.name), name)]
    assert missing == []
