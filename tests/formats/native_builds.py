"""Builds of the modules in C for tests: with allocations that fail on purpose, and with a compiler's sanitizers."""

import importlib.util
import os
import shlex
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

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
    return build_module(compiler, _SOURCES, folder / "_lines", "-DPUPPYLOG_TEST_MEMORY", *flags)


def build_module(compiler: str, sources: Path, target: Path, *flags: str) -> Path:
    """Compile the C files in the folder ``sources`` into a module; return its file, the target with Python's suffix.

    Raises:
        subprocess.CalledProcessError: the compiler refuses, for example because it has no such flags.
    """
    file = target.with_name(target.name + sysconfig.get_config_var("EXT_SUFFIX"))
    shared = ["-shared", "-fPIC", "-std=c11", f"-I{sysconfig.get_path('include')}"]
    files = [str(source) for source in sorted(sources.glob("*.c"))]
    subprocess.run([compiler, *shared, *flags, *files, "-o", str(file)], check=True, capture_output=True, text=True)
    return file


def build_with_sanitizers(compiler: str, build: Callable[..., Path]) -> tuple[Path, dict[str, str]]:
    """Compile a module that ends its process at an access outside an object, and at undefined behaviour.

    Args:
        compiler: the C compiler.
        build: called with the compiler's flags.

    Returns:
        The module's file, and the environment of a Python that is to load it.
    """
    runtime = subprocess.run([compiler, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True)
    try:
        file = build("-O0", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"NOT TESTED: sanitizers; {compiler} cannot build with them: {error.stderr.splitlines()[-1:]}")
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip(f"NOT TESTED: sanitizers; {compiler} has no library to preload")
    return file, {
        **os.environ,
        "LD_PRELOAD": runtime.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps memory until it ends; the readers count their own blocks
        "PYTHONMALLOC": "malloc",  # Python's own allocator would hide where a small object ends
    }


def load_readers(path: Path) -> ModuleType:
    """Load what `build_readers` has made."""
    return load_module("_lines", path)


def load_module(name: str, path: Path) -> ModuleType:
    """Load a compiled module under the name that its function for loading has."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
