"""``puppylog completion``: print the script with which a shell completes Puppylog's commands and options."""

from collections.abc import Mapping
from typing import Final

import click
from click.shell_completion import get_completion_class

from puppylog.cli.main import COMPLETE
from puppylog.cli.options import examples

# A value follows the colon of a field, so the shell must not add a space. fish adds none after a colon.
_WITHOUT_SPACE: Final[Mapping[str, Mapping[str, str]]] = {
    "bash": {
        "    return 0\n": "    if [[ ${COMPREPLY[0]-} == *: ]]; then compopt -o nospace; fi\n\n    return 0\n",
    },
    "zsh": {
        "        compadd -U -V unsorted -a completions\n": (
            "        local -a fields=(${(M)completions:#*:}) others=(${completions:#*:})\n"
            "        compadd -U -V unsorted -a others\n"
            "        compadd -U -S '' -V unsorted -a fields\n"
        ),
    },
}


@click.command(
    epilog=examples(
        'eval "$(puppylog completion bash)"    # in ~/.bashrc',
        'eval "$(puppylog completion zsh)"     # in ~/.zshrc',
        "puppylog completion fish > ~/.config/fish/completions/puppylog.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print a shell's completion script.

    The script completes commands, options, files, the fields of queries, and the names of metrics, alerts, groups and
    formats. It runs puppylog to find them, which asks a store that is running and starts none.
    """
    found = get_completion_class(shell)
    if found is None:
        raise LookupError(f"click has no completion for {shell}")
    script = found(ctx.find_root().command, {}, "puppylog", COMPLETE).source()
    for written, wanted in _WITHOUT_SPACE.get(shell, {}).items():
        script = script.replace(written, wanted)
    click.echo(script)
