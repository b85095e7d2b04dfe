import shutil
import subprocess

import pytest

from puppylog.cli.main import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_asks_puppylog(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_PUPPYLOG_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        parsed = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
        assert (parsed.returncode, parsed.stderr) == (0, "")


def test_an_unknown_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "'tcsh' is not one of 'bash', 'zsh', 'fish'" in capsys.readouterr().err


@pytest.mark.parametrize(("shell", "wanted"), [("bash", "compopt -o nospace"), ("zsh", "compadd -U -S ''")])
def test_a_shell_adds_no_space_after_the_colon_of_a_field(
    capsys: pytest.CaptureFixture[str], shell: str, wanted: str
) -> None:
    assert run(["completion", shell]) == 0
    assert wanted in capsys.readouterr().out
