"""Keeps numpy out of Puppylog's processes."""

import sys


def forbid_numpy() -> None:
    """Make every later import of numpy in this process fail, as if it was not installed.

    Arrow imports numpy wherever it is installed, which takes a command longer than everything else that it loads, and
    the engine a quarter of its start. Neither needs it. None in `sys.modules` would do the same for Arrow, but psycopg
    takes it for the module.
    """
    sys.meta_path.insert(0, _NoNumpy())


class _NoNumpy:
    """A finder of modules that refuses numpy and leaves all others to the next finder."""

    def find_spec(self, name: str, _path: object, _target: object = None) -> None:
        if name == "numpy":
            raise ModuleNotFoundError("Puppylog needs no numpy", name=name)
