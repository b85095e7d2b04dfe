"""Compiles the modules of Puppylog and of its tests once for all processes of pytest.

In a fresh clone nothing is compiled. Each process would then compile nearly every module, because all processes collect
the same files in the same order at the same time.
"""

import compileall
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

_ROOT = Path(__file__).parents[2]


def compile_share(config: pytest.Config, share: int, shares: int) -> None:
    """Compile every ``shares``-th module, from the one with the number ``share``, unless it is compiled.

    The results are stored where Python and pytest look for them; see `sys.pycache_prefix`. A module that another
    process has not compiled yet is compiled when it is imported.
    """
    modules = sorted([*_ROOT.glob("src/puppylog/**/*.py"), *_ROOT.glob("tests/**/*.py")])
    for module in modules[share::shares]:
        if module.name.startswith("test_") or module.name == "conftest.py":
            _compile_test(config, module)
        else:
            compileall.compile_file(module, quiet=2)


def _compile_test(config: pytest.Config, module: Path) -> None:
    """Compile a module as pytest does, which replaces its assertions. Pytest has no public function for that."""
    folder = rewrite.get_cache_dir(module)
    file = folder / (module.name.removesuffix(".py") + rewrite.PYC_TAIL)
    if rewrite._read_pyc(module, file) is None:
        folder.mkdir(parents=True, exist_ok=True)
        content_hash, code = rewrite._rewrite_test(module, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, content_hash, file)
