"""A group whose commands are imported only when they run: neither help nor completion of names imports them."""

import importlib
import os
from collections.abc import Mapping
from typing import Any, TypeAlias

import click
from click.shell_completion import CompletionItem

Table: TypeAlias = Mapping[str, tuple[str, str]]
"""By the name of a command: where it is defined, as ``module:attribute``, and its help in one line."""


class LazyGroup(click.Group):
    """A group of the commands in a table.

    With ``path_command``, the name of one of them, a first word that is a path is an argument of that command. Its
    options may stand before the path, as in ``puppylog -o html access.log``.
    """

    def __init__(self, *args: Any, table: Table, path_command: str | None = None, **kwargs: Any) -> None:  # noqa: ANN401 - click's own arguments
        super().__init__(*args, **kwargs)
        self.table = table
        self.path_command = path_command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in self.table:
            return None
        module, _, attribute = self.table[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in self.table.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [
            CompletionItem(name, help=help_) for name, (_, help_) in self.table.items() if name.startswith(incomplete)
        ]
        if not names and self.path_command is not None and not incomplete.startswith("-"):
            names = [CompletionItem(incomplete, type="file")]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if self.path_command is not None and self._begins_with_option_for_paths(ctx, args):
            args = [self.path_command, *args]
        return super().parse_args(ctx, args)

    def _begins_with_option_for_paths(self, ctx: click.Context, args: list[str]) -> bool:
        """Return whether the first word is an option that this group lacks, and there is a path and no command."""
        if not args or not args[0].startswith("-") or args[0] == "-":
            return False
        own = {name for parameter in self.get_params(ctx) for name in (*parameter.opts, *parameter.secondary_opts)}
        option = args[0].partition("=")[0] if args[0].startswith("--") else args[0][:2]
        return option not in own and any(map(is_path, args)) and not any(word in self.table for word in args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if self.path_command is not None and args[0] not in self.table and is_path(args[0]):
            return self.path_command, self.get_command(ctx, self.path_command), args
        if args[0] not in self.table and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"no command {args[0]!r}; {self._suggest(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def _suggest(self, word: str) -> str:
        from difflib import get_close_matches  # noqa: PLC0415 - only a wrong command needs it

        close = get_close_matches(word, self.table, n=1)
        if close:
            return f"did you mean {close[0]}?"
        paths = ", or give a file" if self.path_command is not None else ""
        return f"there are {', '.join(self.table)}{paths}"


def is_path(word: str) -> bool:
    """Return whether a word names a file, exists as one, or is ``-`` for standard input.

    >>> is_path("access.log"), is_path("/var/log"), is_path("-"), is_path("colector")
    (True, True, True, False)
    """
    return word == "-" or (not word.startswith("-") and (bool(set(word) & set("./*?")) or os.path.lexists(word)))
