"""Compiles the modules in C, with the compiler that Python's own modules were built with.

Without a compiler, or if it fails, the package is complete: modules in Python do the same, more slowly.
"""

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Extension modules by what they do. Each is compiled from all C files of its folder.
_MODULES: Final = {
    "lines are parsed": Path("src", "puppylog", "formats", "native", "_lines"),
    "rows for PostgreSQL are encoded": Path("src", "puppylog", "stores", "postgres", "ingest", "_pgcopy"),
    "log records of OTLP are decoded": Path("src", "puppylog", "receive", "otlp", "native", "_records"),
    "JSON and CSV are written": Path("src", "puppylog", "rows", "_rows"),
}


class NativeModules(BuildHookInterface[Any]):
    """Adds the compiled modules to a wheel. In an editable install they stay in the folders of their sources."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's
        for work, module in _MODULES.items():
            target = module.with_name(f"{module.name}{sysconfig.get_config_var('EXT_SUFFIX')}")
            try:
                subprocess.run(_command(Path(self.root) / target), check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as error:
                cause = getattr(error, "stderr", None) or error
                sys.stderr.write(f"cannot compile {module.name}, {work} more slowly: {cause}\n")
                (Path(self.root) / target).unlink(missing_ok=True)
                continue
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["artifacts"].append(str(target))


def _command(target: Path) -> list[str]:
    """Return the command that compiles all C files of the target's folder into the target.

    Hidden functions are called directly, and not by a table that another library may change: this saves 4 % of time.
    """
    return [
        *shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared"),
        *("-O3", "-std=c11", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra"),
        f"-I{sysconfig.get_path('include')}",
        *(str(source) for source in sorted(target.parent.glob("*.c"))),
        *("-o", str(target)),
    ]
