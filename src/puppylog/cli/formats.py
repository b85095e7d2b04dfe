"""``puppylog formats``: list the formats, each with an example line."""

from typing import Final

import click

from puppylog.cli.options import examples, output_options, pass_settings
from puppylog.cli.texts import write_texts
from puppylog.formats.listed import AUTO, LISTED, WRITTEN, find_sample_line
from puppylog.settings import Settings

_WHAT: Final = "what it reads"
_COLUMNS: Final = ("format", _WHAT, "a line")


@click.command(epilog=examples("puppylog formats", "puppylog collector detect access.log"))
@output_options
@pass_settings
def formats(settings: Settings) -> None:
    """List the formats that --format takes."""
    rows = [(AUTO, "the format that fits the first lines", "")]
    rows += [(name, listed.summary, find_sample_line(name)) for name, listed in LISTED.items()]
    rows += [(form, summary, "") for form, summary in WRITTEN.items()]
    write_texts(_COLUMNS, rows, settings, wrapped=(_WHAT,))
