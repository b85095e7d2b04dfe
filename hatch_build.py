"""Builds the readers of lines that are written in C, with the compiler that Python's own modules were built with.

Where there is none, or it fails, the package is whole without them: it only parses more slowly.
"""

import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FOLDER = Path("src", "puppylog", "formats", "native")


class NativeReaders(BuildHookInterface[Any]):
    """Adds the compiled module to a wheel; for an editable install it stays beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the hook's
        folder = Path(self.root) / _FOLDER
        target = folder / f"_lines{sysconfig.get_config_var('EXT_SUFFIX')}"
        command = [
            *shlex.split(sysconfig.get_config_var("LDSHARED") or "cc -shared"),
            "-O3",
            "-std=c11",
            "-fPIC",
            "-Wall",
            "-Wextra",
            f"-I{sysconfig.get_path('include')}",
            *(str(source) for source in sorted(folder.glob("*.c"))),
            "-o",
            str(target),
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            cause = getattr(error, "stderr", None) or error
            sys.stderr.write(f"no native readers, lines are parsed more slowly: {cause}\n")
            target.unlink(missing_ok=True)
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["artifacts"].append(str(_FOLDER / target.name))
