"""Where the format files of the user are.

The command line sets the folder once, from the environment, which no module below it reads. So every place that takes
the name of a format finds the user's formats, too: options, the configuration file, receivers and the page.
"""

from pathlib import Path

_folder: Path | None = None


def set_own_folder(folder: Path | None) -> None:
    """Search the user's format files in a folder from now on; None: the user has none."""
    global _folder  # noqa: PLW0603 - one folder for the process, set by the command line
    _folder = folder


def get_own_folder() -> Path | None:
    """Return the folder of the user's format files, which need not exist; None if there is none."""
    return _folder
