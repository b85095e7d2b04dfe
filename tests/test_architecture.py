"""ARCHITECTURE.md and the glossary describe the source as it is.

import-linter proves which layers import which. These tests check the rest: that the pages name what exists, that no
module is too long, that every query is used, and which modules a process really loads.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from puppylog.errors import BY_NAME
from puppylog.stores.queries import load_queries

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "puppylog"
MODULES = sorted(SOURCE.rglob("*.py"))
MAX_LINES = 400
NAMESPACES = {"opentelemetry_proto": "opentelemetry", "protobuf": "google"}  # what is imported by another name
LAYER_LINE = re.compile(r"^( *)(\w+)(/|\.py) {2,}\S")


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


@cache
def list_nodes(path: Path) -> list[ast.AST]:
    """Return all nodes of a module. To walk a tree again takes longer than to parse the module."""
    return list(ast.walk(parse(path)))


@pytest.fixture(scope="module", autouse=True)
def _forget_trees() -> Iterator[None]:
    """Keep the trees of the modules for these tests only: they are large."""
    yield
    list_nodes.cache_clear()
    parse.cache_clear()


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def read_layers() -> tuple[list[str], set[str]]:
    """Return the layers that ARCHITECTURE.md lists, from the top, and all folders in that list."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = text.split("```")[1]
    layers: list[str] = []
    folders: set[str] = set()
    path: list[str] = []
    for indent, name, kind in (match.groups() for line in block.splitlines() if (match := LAYER_LINE.match(line))):
        if not indent:
            layers.append(name)
        path = [*path[: len(indent) // 2], name]
        if kind == "/":
            folders.add("/".join(path))
    return layers, folders


def test_the_layers_in_the_page_are_those_that_import_linter_checks() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (layers,) = [
        contract["layers"] for contract in settings["tool"]["importlinter"]["contracts"] if contract["id"] == "layers"
    ]
    assert read_layers()[0] == [name for layer in layers for name in layer.split(" | ")]


def test_the_layers_and_folders_in_the_page_are_those_of_the_tree() -> None:
    layers, folders = read_layers()
    tops = {path.stem for path in SOURCE.glob("*.py")} - {"__init__"} | {
        path.parent.name for path in SOURCE.glob("*/__init__.py")
    }
    assert set(layers) == tops
    assert folders == {str(path.parent.relative_to(SOURCE)) for path in SOURCE.rglob("*/__init__.py")} - {"."}


def test_every_folder_with_modules_is_a_package() -> None:
    assert {path.parent for path in MODULES} == {path.parent for path in SOURCE.rglob("__init__.py")}


@pytest.mark.parametrize("folder", ["src", "tests", "bench"])
def test_no_module_is_too_long_to_be_read_at_once(folder: str) -> None:
    lengths = {relative(path): path.read_bytes().count(b"\n") for path in (ROOT / folder).rglob("*.py")}
    assert lengths
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_module_has_a_name_that_fits_anything() -> None:
    vague = {"util", "utils", "helper", "helpers", "common", "core", "misc", "manager", "base_utils"}
    named = {path.stem for path in MODULES} | {path.parent.name for path in MODULES}
    assert named & vague == set()


def test_every_module_has_a_docstring() -> None:
    silent = [relative(path) for path in MODULES if not ast.get_docstring(parse(path))]
    assert [name for name in silent if not name.endswith("__main__.py")] == []


def iter_query_uses() -> Iterator[tuple[tuple[str, str], str]]:
    """Yield (package, file) and the name of the query for every ``_QUERIES["name"]`` in the source."""
    for path in MODULES:
        nodes = list_nodes(path)
        tables = {
            target.id: (strings_in(call.args[0])[0], strings_in(call.args[1])[0])
            for node in nodes
            if isinstance(node, ast.Assign) and isinstance(call := node.value, ast.Call)
            if isinstance(call.func, ast.Name) and call.func.id == "load_queries"
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in nodes:
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in tables:
                yield from ((tables[node.value.id], name) for name in strings_in(node.slice))


def strings_in(tree: ast.AST) -> list[str]:
    return strings_among(ast.walk(tree))


def strings_among(nodes: Iterable[ast.AST]) -> list[str]:
    return [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def list_query_files() -> set[tuple[str, str]]:
    return {
        (".".join(("puppylog", *path.parents[1].relative_to(SOURCE).parts)), path.name)
        for path in SOURCE.rglob("sql/*.sql")
    }


# The modules that may search the message of an error, and who wrote the message.
TRANSLATORS = {
    "errors.py": "Puppylog",
    "stores/duckdb/engine/failures.py": "DuckDB, always in English and sometimes without an error code",
    "stores/duckdb/wire.py": "gRPC, to remove the text that it adds",
    "stores/postgres/sessions/failures.py": "libpq, which has no SQLSTATE if it cannot connect",
    "formats/file/reading.py": "msgspec, for the key in the file",
    "formats/regex/pattern.py": "RE2, for the offset in the expression",
    "tail/boundary.py": "RE2, to remove its first words",
}


def iter_readers(nodes: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """Yield every expression that searches the message of an error by a comparison, a method or a regular expression.

    Passing a message on is not searching it: `error.message` as an argument and `str(error).lower()` are not yielded.
    """

    def is_message(node: ast.expr) -> bool:
        match node:
            case ast.Attribute(attr="message_primary"):
                return True
            case ast.Attribute(value=ast.Name(id=name), attr="message" | "cause" | "advice" | "thing" | "verb"):
                return name in caught
            case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]):
                return name in caught
            case ast.Call(func=ast.Attribute(value=value)) | ast.Subscript(value=value):
                return is_message(value)
        return False

    caught = {"error"} | {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    for node in nodes:
        match node:
            case ast.Compare(left=left, comparators=others) if any(map(is_message, [left, *others])):
                yield node
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if is_message(value) and name != "lower":
                yield node
            case ast.Call(func=ast.Attribute(attr="search" | "match" | "fullmatch" | "sub"), args=args) if any(
                map(is_message, args)
            ):
                yield node


@pytest.mark.parametrize(
    "code",
    [
        "'permission denied' in error.message",
        "error.message.partition(': ')[2]",
        "'permission denied' in error.cause",
        "re.search('denied', error.message)",
        "error.diag.message_primary == 'x'",
        "try: f()\nexcept OSError as error: str(error).startswith('x')",
        "try: f()\nexcept OSError as error: 'x' in str(error).lower()",
    ],
)
def test_code_that_searches_a_message_is_recognized(code: str) -> None:
    assert list(iter_readers(list(ast.walk(ast.parse(code)))))


def test_only_translators_search_the_message_of_an_error() -> None:
    readers = {
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in MODULES
        if str(path.relative_to(SOURCE)) not in TRANSLATORS
        for node in iter_readers(list_nodes(path))
    }
    assert readers == set()


def test_every_error_is_made_from_parts_and_none_from_a_whole_message() -> None:
    texts = {path: path.read_bytes() for path in [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]}
    whole = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, text in texts.items()
        if b"cannot " in text
        for node in (list_nodes(path) if path in MODULES else ast.walk(ast.parse(text)))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BY_NAME and node.args
        if "cannot " in ast.unparse(node.args[0])
    ]
    assert whole == []


def test_every_package_that_is_imported_is_a_declared_dependency() -> None:
    """A package installed for another reason would hide a missing dependency, as numpy would for Arrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[^\w-]", dependency)[0].replace("-", "_") for dependency in project["dependencies"]}
    imported: set[str] = set()
    for module in MODULES:
        for node in list_nodes(module):
            if isinstance(node, ast.Import):
                imported |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
            elif isinstance(node, ast.Attribute) and module.name != "answer.py":  # which says what is not installed
                assert node.attr not in {"to_numpy", "to_pandas", "fetchnumpy"}, relative(module)
    named = {package: distribution for distribution, package in NAMESPACES.items()}
    packages = {named.get(package, package) for package in imported - sys.stdlib_module_names - {"puppylog"}}
    assert packages == declared


def test_every_query_that_is_used_exists() -> None:
    uses = set(iter_query_uses())
    assert len(uses) > 10
    assert sorted(uses - {(file, name) for file in list_query_files() for name in load_queries(*file)}) == []


def test_every_query_is_used() -> None:
    words = {word for path in MODULES for word in strings_among(list_nodes(path))}
    assert [name for file in list_query_files() for name in load_queries(*file) if name not in words] == []


def test_sql_files_are_found_where_the_package_is_installed() -> None:
    for package, file in list_query_files():
        assert resources.files(package).joinpath("sql", file).is_file()


def test_every_word_of_the_glossary_is_defined_once_and_used_in_the_source() -> None:
    words = re.findall(
        r"^\| \*\*([a-z ]+)\*\* \|", (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(words) > 15
    assert len(words) == len(set(words))
    source = "\n".join(path.read_text(encoding="utf-8") for path in MODULES).lower()
    assert [word for word in words if not re.search(rf"(?<![a-z]){word}(s|es)?(?![a-z])", source)] == []


def loaded_after_importing(modules: list[str]) -> set[str]:
    statements = "; ".join(f"import {module}" for module in modules)
    done = subprocess.run(
        [sys.executable, "-c", f"{statements}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def modules_under(folder: str) -> list[str]:
    return [
        ".".join(("puppylog", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        for path in sorted((SOURCE / folder).rglob("*.py"))
    ]


def test_a_collector_loads_no_screen_and_no_database() -> None:
    loaded = loaded_after_importing([*modules_under("collect"), "puppylog.stores.duckdb.client.store"])
    assert "puppylog.stores.duckdb.client.store" in loaded
    assert loaded & {"rich", "click", "duckdb", "sqlglot", "puppylog.tui", "puppylog.cli"} == set()


def test_a_collector_of_postgresql_loads_no_screen_no_other_store_and_no_parser() -> None:
    loaded = loaded_after_importing([*modules_under("collect"), "puppylog.stores.postgres.store"])
    assert "psycopg" in loaded
    assert loaded & {"click", "duckdb", "sqlglot", "pyarrow.flight", "puppylog.tui", "puppylog.cli"} == set()


def test_a_monitor_loads_no_screen_and_no_database() -> None:
    loaded = loaded_after_importing([*modules_under("monitor"), "puppylog.stores.duckdb.client.store"])
    assert loaded & {"rich", "click", "duckdb", "puppylog.tui", "puppylog.cli"} == set()
