"""``puppylog formats``: list the formats, each with an example line; check and show format files."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from puppylog.cli.complete import complete_files, complete_formats
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.texts import write_texts
from puppylog.errors import NotFound
from puppylog.formats.file.folder import FoundFile, find_file, find_title_and_line, list_files
from puppylog.formats.listed_formats import AUTO, LISTED, WRITTEN, find_sample_line
from puppylog.model.printable import clean
from puppylog.settings import Settings

if TYPE_CHECKING:  # listing the formats loads no Arrow
    from puppylog.formats.file.samples import Difference

_WHAT: Final = "what it reads"
_COLUMNS: Final = ("format", _WHAT, "a line", "origin")
_DIFFERENCE: Final = ("sample", "line", "key", "expected", "got")
_OWN: Final = "puppylog"


@click.group(
    invoke_without_command=True,
    epilog=examples(
        "puppylog formats",
        "puppylog formats check my-format.toml",
        "puppylog formats show redis > my-format.toml",
        "puppylog collector detect access.log",
    ),
)
@output_options
@store_options
@click.pass_context
def formats(context: click.Context) -> None:
    """List formats; check and show format files.

    Your own format files are those in $XDG_CONFIG_HOME/puppylog/formats: the format 'shop' is the file shop.toml. The
    page docs/format-files.md says how to write one.
    """
    if context.invoked_subcommand is None:
        context.invoke(_list)


@click.command()
@pass_settings
def _list(settings: Settings) -> None:
    files = list_files()
    own = {name: file for name, file in files.items() if file.is_own}
    rows = [(AUTO, "the format that fits the first lines", "", _OWN)]
    rows += [(name, listed.summary, find_sample_line(name), _OWN) for name, listed in LISTED.items() if name not in own]
    rows += [(name, *_describe(file, settings), file.origin) for name, file in files.items()]
    rows += [(form, summary, "", _OWN) for form, summary in WRITTEN.items()]
    columns = _COLUMNS if own or settings.output != "table" else _COLUMNS[:-1]  # people see an origin if there are two
    write_texts(columns, [row[: len(columns)] for row in rows], settings, wrapped=(_WHAT,))


def _describe(file: FoundFile, settings: Settings) -> tuple[str, str]:
    """Return the title of a format file and a line. A table has a blank in place of a tab, which has no width."""
    title, line = find_title_and_line(file)
    return title, line.replace("\t", " ") if settings.output == "table" else line


@formats.command(epilog=examples("puppylog formats check my-format.toml", "puppylog formats check shop -o json"))
@click.argument("file", metavar="FILE|NAME", shell_complete=complete_files)
@output_options
@store_options
@pass_settings
@click.pass_context
def check(ctx: click.Context, settings: Settings, *, file: str) -> None:
    """Check a format file, and whether its samples become the records that it states.

    Each difference is shown, and the exit code is 1 if there are any. It is 78 if the file has a fault.
    """
    from puppylog.formats.file.definition import read_definition  # noqa: PLC0415 - it loads Arrow
    from puppylog.formats.file.samples import check_samples  # noqa: PLC0415 - it loads Arrow

    definition = read_definition(_find(file).path)
    differences = check_samples(definition)
    if settings.output == "table":
        _show_differences(differences)
    else:
        write_texts(_DIFFERENCE, [_write_row(difference) for difference in differences], settings)
    samples = len(definition.document.samples)
    wrong = len({difference.sample for difference in differences})
    tell(settings, f"{definition.source}: {_count(samples, wrong)}")
    if differences:
        ctx.exit(1)


@formats.command(epilog=examples("puppylog formats show redis > my-format.toml"))
@click.argument("name", shell_complete=complete_formats)
@store_options
def show(name: str) -> None:
    """Print the file of a format, as a beginning of a format of your own."""
    found = find_file(name)
    if found is None:
        raise NotFound(
            "show", f"format {name!r}", _describe_missing(name), advice="'puppylog formats' lists all formats"
        )
    sys.stdout.write(found.path.read_text(encoding="utf-8"))


def _describe_missing(name: str) -> str:
    """Return why a format has no file, and formats that have one and are spelt almost like it."""
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name needs it

    if name in LISTED:
        return "it is built in and has no file"
    nearest = get_close_matches(name, [*list_files()], n=3)
    verb = "is" if len(nearest) == 1 else "are"
    return "there is no such format" + (f"; the nearest {verb} {', '.join(nearest)}" if nearest else "")


def _count(samples: int, wrong: int) -> str:
    if samples == 0:
        return "no fault found; the file has no samples, which would show whether lines are read as you want"
    counted = f"{samples} {'sample' if samples == 1 else 'samples'}"
    return f"{counted}, {f'{wrong} not as stated' if wrong else 'all as stated'}"


def _find(written: str) -> FoundFile:
    """Return the format file with a path, or of the format with a name."""
    path = Path(written)
    found = None if path.exists() else find_file(written)
    return found if found is not None else FoundFile(path, is_own=True)


def _write_row(difference: "Difference") -> tuple[str, ...]:
    return str(difference.sample), difference.line, difference.key, difference.expected, difference.got


def _show_differences(differences: Sequence["Difference"]) -> None:
    """Write each difference in lines of its own, so that long values stay readable."""
    last = 0
    for difference in differences:
        if difference.sample != last:
            sys.stdout.write(f"sample {difference.sample}: {clean(difference.line)}\n")
        last = difference.sample
        expected, got = (clean(value) if value else "nothing" for value in (difference.expected, difference.got))
        sys.stdout.write(f"  {clean(difference.key)}\n    expected  {expected}\n    got       {got}\n")
    sys.stdout.flush()
