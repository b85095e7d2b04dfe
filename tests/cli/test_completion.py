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


@pytest.mark.parametrize(
    ("line", "names"),
    [("puppylog logs sta", ["status_code"]), ("puppylog rejects list re", ["reason", "rejected_at"])],
)
def test_the_fields_of_a_query_are_completed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, line: str, names: list[str]
) -> None:
    monkeypatch.setenv("_PUPPYLOG_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split()) - 1))
    assert run([]) == 0
    assert capsys.readouterr().out.split() == [f"plain,{name}" for name in names]
