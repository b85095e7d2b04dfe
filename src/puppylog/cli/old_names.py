"""Options that also accept the names that they had in the first Puppylog."""

from collections.abc import Sequence
from typing import Any

import click


class OldNamesOption(click.Option):
    """An option that accepts its old names, such as ``-rr`` or ``--refresh_rate``, from scripts of the first Puppylog.

    Help, completion and suggestions show only the present names.
    """

    def __init__(self, *args: Any, old_names: Sequence[str], **kwargs: Any) -> None:  # noqa: ANN401 - click's own arguments
        super().__init__(*args, **kwargs)
        self.old_names = tuple(old_names)

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:  # noqa: ANN401 - click keeps this type private
        shown = self.opts
        self.opts = [*shown, *self.old_names]
        try:
            super().add_to_parser(parser, ctx)
        finally:
            self.opts = shown


def without_old_names(error: click.NoSuchOption) -> click.NoSuchOption:
    """Return the same error, without the old names among its suggestions."""
    params = [] if error.ctx is None else error.ctx.command.params
    old_names = {name for param in params if isinstance(param, OldNamesOption) for name in param.old_names}
    suggested = [name for name in error.possibilities or () if name not in old_names]
    return click.NoSuchOption(error.option_name, possibilities=suggested, ctx=error.ctx)
