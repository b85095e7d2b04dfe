"""Builds the C modules for tests: with allocations that fail on purpose, and with the sanitizers of a compiler.

A build is kept in pytest's cache for the same compiler, flags and sources, so that all processes of pytest share it.
"""

import fcntl
import hashlib
import importlib.util
import os
import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from puppylog.formats import native

_SOURCES = Path(str(native.__file__)).parent
_SHARED: Final = _SOURCES.parents[1] / "native"  # headers that several modules include
_BUILDS: Final = Path(__file__).parents[2] / ".pytest_cache" / "native"

WITHOUT_SSE2: Final = ("-O0", "-DPUPPYLOG_WITHOUT_SSE2")
"""The flags of a build of the readers for processors without SSE2."""


def find_compiler() -> str | None:
    """Return the compiler that Python's own modules were built with, or None if it is not installed."""
    words = shlex.split(sysconfig.get_config_var("CC") or "cc")
    try:
        subprocess.run([words[0], "--version"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return words[0]


def build_readers(compiler: str, *flags: str) -> Path:
    """Compile the readers with the functions ``fail_allocation_after`` and ``count_blocks``; return the module's path.

    Raises:
        subprocess.CalledProcessError: the compiler refuses, for example because it has no such flags.
    """
    return build_module(compiler, _SOURCES, "_lines", "-DPUPPYLOG_TEST_MEMORY", *flags)


def build_module(compiler: str, sources: Path, name: str, *flags: str) -> Path:
    """Compile the C files in the folder ``sources`` into the module ``name``, unless it is built; return its path.

    Raises:
        subprocess.CalledProcessError: the compiler refuses, for example because it has no such flags.
    """
    return build(compiler, sources, f"{name}{sysconfig.get_config_var('EXT_SUFFIX')}", "-shared", "-fPIC", *flags)


def build(compiler: str, sources: Path, name: str, *flags: str) -> Path:
    """Compile the C files in the folder ``sources`` into one file of this name, unless it is built; return its path.

    Raises:
        subprocess.CalledProcessError: the compiler refuses, for example because it has no such flags.
    """
    files = [str(source) for source in sorted(sources.glob("*.c"))]
    command = [compiler, "-std=c11", f"-I{sysconfig.get_path('include')}", *flags, *files]
    version = subprocess.run([compiler, "--version"], check=True, capture_output=True).stdout
    read = [*sorted(sources.glob("*.[ch]")), *sorted(_SHARED.glob("*.h"))]
    parts = [version, *map(str.encode, command), *(source.read_bytes() for source in read)]
    folder = _BUILDS / hashlib.sha256(b"\0".join(parts)).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another process may build the same
        if not file.exists():
            unfinished = file.with_suffix(".unfinished")
            subprocess.run([*command, "-o", str(unfinished)], check=True, capture_output=True, text=True)
            unfinished.rename(file)
    return file


def build_with_sanitizers(compiler: str, build: Callable[..., Path]) -> tuple[Path, dict[str, str]]:
    """Compile a module that ends its process on an access outside an object or on undefined behaviour.

    Args:
        compiler: the C compiler.
        build: called with the compiler's flags.

    Returns:
        The path of the module, and the environment in which Python must run to load it.
    """
    runtime = subprocess.run([compiler, "-print-file-name=libasan.so"], check=True, capture_output=True, text=True)
    try:
        file = build("-O0", "-g1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"NOT TESTED: sanitizers; {compiler} cannot build with them: {error.stderr.splitlines()[-1:]}")
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip(f"NOT TESTED: sanitizers; {compiler} has no library to preload")
    return file, {
        **os.environ,
        "LD_PRELOAD": runtime.stdout.strip(),
        # Python itself does not free all memory; the readers count their blocks. A report has the stack of the access;
        # the stacks of allocations, which are many and deep in Python, would take gigabytes and most of the time.
        "ASAN_OPTIONS": "detect_leaks=0:malloc_context_size=4",
        "PYTHONMALLOC": "malloc",  # Python's allocator hides the ends of small objects
    }


def run_fuzzer(name: str, *arguments: str, environment: Mapping[str, str], timeout_s: float) -> str:
    """Run a fuzzer of these tests, which must end with 0, and return what it prints.

    Args:
        name: of its module, such as ``formats.fuzz``.
        arguments: of its command line.
        environment: in which a module with sanitizers can be loaded; see `build_with_sanitizers`.
        timeout_s: how long it may run.
    """
    done = subprocess.run(
        [sys.executable, "-m", name, *arguments],
        cwd=Path(__file__).parents[1],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-1000:]
    return done.stdout


def load_readers(path: Path) -> ModuleType:
    """Load the module that `build_readers` has built."""
    return load_module("_lines", path)


def load_module(name: str, path: Path) -> ModuleType:
    """Load a compiled module under the name in its init function."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
