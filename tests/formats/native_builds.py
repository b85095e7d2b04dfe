"""Builds of the native readers for tests: with allocations that fail on purpose, and with a compiler's sanitizers."""

import importlib.util
import shlex
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

from puppylog.formats import native

_SOURCES = Path(str(native.__file__)).parent


def find_compiler() -> str | None:
    """Return the compiler that Python's own modules were built with, or None if it is not installed."""
    words = shlex.split(sysconfig.get_config_var("CC") or "cc")
    try:
        subprocess.run([words[0], "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return words[0]


def build_readers(compiler: str, folder: Path, *flags: str) -> Path:
    """Compile the readers with the functions ``fail_allocation_after`` and ``count_blocks``; return the module's file.

    Raises:
        subprocess.CalledProcessError: the compiler refuses, for example because it has no such flags.
    """
    target = folder / f"_lines{sysconfig.get_config_var('EXT_SUFFIX')}"
    shared = ["-shared", "-fPIC", "-std=c11", "-DPUPPYLOG_TEST_MEMORY", f"-I{sysconfig.get_path('include')}"]
    sources = [str(source) for source in sorted(_SOURCES.glob("*.c"))]
    subprocess.run([compiler, *shared, *flags, *sources, "-o", str(target)], check=True, capture_output=True, text=True)
    return target


def load_readers(path: Path) -> ModuleType:
    """Load what `build_readers` has made."""
    spec = importlib.util.spec_from_file_location("_lines", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
