"""``puppylog formats``: list the formats, each with an example line."""

import click
import pyarrow as pa

from puppylog.cli.options import examples, output_options, pass_settings
from puppylog.cli.output import write_rows
from puppylog.cli.tables import Layout
from puppylog.formats.registry import AUTO, FORMATS, WRITTEN, find_sample_line
from puppylog.settings import Settings

_SCHEMA = pa.schema([("format", pa.string()), ("what it reads", pa.string()), ("a line", pa.string())])
_LAYOUT = Layout(wrapped=("what it reads",))


@click.command(epilog=examples("puppylog formats", "puppylog collector detect access.log"))
@output_options
@pass_settings
def formats(settings: Settings) -> None:
    """List the formats that --format takes."""
    rows = [{"format": AUTO, "what it reads": "the format that fits the first lines", "a line": ""}]
    rows += [
        {"format": name, "what it reads": entry.summary, "a line": find_sample_line(name)}
        for name, entry in FORMATS.items()
    ]
    rows += [{"format": form, "what it reads": summary, "a line": ""} for form, summary in WRITTEN.items()]
    write_rows(rows, _SCHEMA, settings, _LAYOUT)
