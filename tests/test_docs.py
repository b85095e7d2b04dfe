"""The commands, options, targets of make and links in the pages exist."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click

from puppylog.cli.config import describe_contents
from puppylog.cli.lazy import is_path
from puppylog.cli.main import cli
from puppylog.config.reading import read_configuration
from support import configuration_page

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:puppylog|make) [^`\n]+)`")
CODE = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def iter_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of every command after ``$`` in a console block, and of every command in running text."""
    text = page.read_text(encoding="utf-8")
    lines = [line[2:] for block in CONSOLE.findall(text) for line in block.splitlines() if line.startswith("$ ")]
    for line in lines + INLINE.findall(text):
        words = shlex.split(line, comments=True)
        while words and "=" in words[0]:
            words = words[1:]
        if words:
            yield words[: next((at for at, word in enumerate(words) if word in {"|", ">", "&", "&&"}), len(words))]


COMMANDS = [(name(page), words) for page in PAGES for words in iter_commands(page)]
PUPPYLOG = [(page, words[1:]) for page, words in COMMANDS if words[0] == "puppylog"]
MAKE = [(page, words[1:]) for page, words in COMMANDS if words[0] == "make"]


def resolve(words: list[str]) -> tuple[click.Command | None, list[str]]:
    """Return the command that the words name and the words after its name; None and the word that names no command."""
    command: click.Command = cli
    if words and words[0] not in cli.list_commands(click.Context(cli)) and (words[0] == "FILE" or is_path(words[0])):
        words = ["open", *words]
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            return None, words
        command, words = found, words[1:]
    return command, words


def test_every_command_in_the_pages_exists_with_its_options() -> None:
    assert PUPPYLOG
    wrong = {}
    for page, words in PUPPYLOG:
        command, rest = resolve(words)
        if command is None:
            wrong[page, shlex.join(words)] = f"there is no command {rest[0]!r}"
            continue
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        used = {word.partition("=")[0] for word in rest if re.match(r"--?[a-zA-Z]", word)}
        if unknown := used - known - {"-h", "--help"}:
            wrong[page, shlex.join(words)] = f"it has no options {sorted(unknown)}"
    assert wrong == {}


def test_the_readme_shows_how_to_collect_and_how_to_monitor() -> None:
    shown = {words[0] for page, words in PUPPYLOG if page == "README.md" and words}
    assert {"collector", "monitor"} <= shown


def test_every_target_of_make_in_the_pages_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    used = {word for _, words in MAKE for word in words if re.fullmatch(r"[a-z]+", word)}
    assert used
    assert used <= targets


def test_every_page_that_is_linked_exists() -> None:
    links = [
        (page, target) for page in PAGES for target in LINK.findall(CODE.sub("", page.read_text(encoding="utf-8")))
    ]
    assert links
    assert [(name(page), target) for page, target in links if not (page.parent / target).exists()] == []


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = LINK.findall((folder / "README.md").read_text(encoding="utf-8"))
    assert sorted(listed) == sorted(path.name for path in folder.glob("[0-9]*.md"))


def test_the_keys_in_the_page_about_the_file_are_those_that_are_declared() -> None:
    """If this fails, run ``PYTHONPATH=tests python -m support.configuration_page``."""
    page = configuration_page.PAGE.read_text(encoding="utf-8")
    assert configuration_page.list_marked(page) == set(configuration_page.make_tables())
    assert configuration_page.with_tables(page) == page


def test_the_committed_schema_is_the_one_that_the_command_prints() -> None:
    """If this fails, run ``PYTHONPATH=tests python -m support.configuration_page``."""
    assert configuration_page.SCHEMA.read_text(encoding="utf-8") == configuration_page.write_schema()


def test_the_example_of_the_page_is_right_and_has_what_the_page_says(tmp_path: Path) -> None:
    page = configuration_page.PAGE.read_text(encoding="utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    path = tmp_path / "config.toml"
    path.write_text(example)
    configuration = read_configuration([path])
    assert describe_contents(configuration) in page
    metrics = configuration.define_metrics({})
    assert len(configuration.define_alerts({metric.name: metric for metric in metrics})) == 1
