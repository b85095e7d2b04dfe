"""``puppylog completion``: print the script with which a shell completes Puppylog's commands and options."""

import click
from click.shell_completion import get_completion_class

from puppylog.cli.main import COMPLETE
from puppylog.cli.options import examples


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

    The script completes commands and options; it runs puppylog to find them.
    """
    found = get_completion_class(shell)
    if found is None:
        raise LookupError(f"click has no completion for {shell}")
    click.echo(found(ctx.find_root().command, {}, "puppylog", COMPLETE).source())
