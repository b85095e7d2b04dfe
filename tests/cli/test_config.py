import json
from pathlib import Path

import pytest

from puppylog.cli.main import run
from puppylog.config.schema import make_schema
from support.certificate import write_certificate


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("PUPPYLOG_CONFIG", "PUPPYLOG_STORE", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    path = tmp_path / "config.toml"
    path.write_text('store = "postgresql://ada:secret@db/logs"\n[[metric]]\nname = "errors"\nperiod = "5m"\n')
    return path


def test_check_says_what_a_right_file_has(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "check", str(file)]) == 0
    assert capsys.readouterr().err == f"puppylog: {file}: 0 sources, 1 metric, 0 alerts, 0 contacts\n"
    assert run(["config", "check", "-q", "-c", str(file)]) == 0
    assert capsys.readouterr().err == ""


def test_check_shows_all_faults_and_exits_with_78(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('quiet = 1\n[[metric]]\nname = "errors"\nperiods = "5m"\n')
    assert run(["config", "check", str(file)]) == 78
    assert capsys.readouterr().err == (
        f"puppylog: cannot use {file}: quiet must be true or false, not 1\n"
        f"puppylog: cannot use {file}: [[metric]] \"errors\": unknown key 'periods' (did you mean 'period'?)\n"
    )


def test_check_without_a_file_is_a_fault_of_the_configuration(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.unlink()
    assert run(["config", "check"]) == 78
    assert "cannot find a configuration file" in capsys.readouterr().err


def test_show_names_the_origin_of_each_value_and_no_password(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-c", str(file), "--color", "never", "config", "show", "--origin", "-o", "jsonl"]) == 0
    output = capsys.readouterr().out
    rows = {(row["table"], row["key"]): row for row in map(json.loads, output.splitlines())}
    assert "secret" not in output
    assert (rows["", "color"]["value"], rows["", "color"]["origin"]) == ('"never"', "flag")
    assert rows["", "store"]["origin"] == str(file)
    assert rows["", "quiet"]["origin"] == "default"
    assert (rows["metric", "period"]["value"], rows["metric", "period"]["origin"]) == ('"5m"', str(file))
    assert (rows["metric", "statistic"]["value"], rows["metric", "statistic"]["origin"]) == ('"count"', "default")


def test_show_refuses_a_file_with_a_fault(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text('[[metric]]\nname = "errors"\nperiods = "5m"\n')
    assert run(["config", "show", "-c", str(file)]) == 78
    assert "unknown key 'periods'" in capsys.readouterr().err


def test_the_variable_names_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PUPPYLOG_CONFIG", str(file))
    assert run(["config", "show", "--origin", "-o", "csv"]) == 0
    assert str(file) in capsys.readouterr().out


def test_a_file_that_is_named_and_does_not_exist_is_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.unlink()
    assert run(["-c", str(file), "config", "show"]) == 78
    assert capsys.readouterr().err == f"puppylog: cannot read {file}: No such file or directory\n"


def test_schema_prints_the_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == make_schema()


def test_neither_show_nor_check_prints_a_secret(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(
        '[[contact]]\nname = "a"\ntype = "webhook"\nurl = "https://u:hidden@example.org"\ntoken_env = "TOKEN"\n'
    )
    monkeypatch.setenv("TOKEN", "hidden")
    assert run(["-c", str(file), "config", "check"]) == 0
    assert run(["-c", str(file), "config", "show", "--origin"]) == 0
    shown = capsys.readouterr()
    assert "hidden" not in shown.out + shown.err
    assert '"TOKEN"' in shown.out
    monkeypatch.delenv("TOKEN")
    assert run(["-c", str(file), "config", "check"]) == 78
    assert "token_env: the variable TOKEN is not set" in capsys.readouterr().err


def test_check_warns_about_a_contact_that_the_file_lacks(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(
        '[[metric]]\nname = "a"\n[[alert]]\nname = "a"\nmetric = "a"\ncomparison = ">"\nthreshold = 1\n'
        'contacts = ["ops"]\n'
    )
    assert run(["config", "check", str(file)]) == 0
    assert f"{file}: [[alert]] \"a\" names contact 'ops', which the file does not have" in capsys.readouterr().err


def test_check_reads_the_certificates_of_the_server(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    syslog = '[[listen.syslog]]\nname = "a"\naddress = "[::1]:6514"\nprotocol = "tls"\ncertificate = "b.pem"\n'
    file.write_text(f'[listen]\ncertificate = "a.pem"\n{syslog}')
    (tmp_path / "b.pem").write_text("nothing")
    assert run(["config", "check", str(file)]) == 78
    assert capsys.readouterr().err == (
        f"puppylog: cannot read {tmp_path}/a.pem: No such file or directory\n"
        f"puppylog: cannot use the certificate {tmp_path}/b.pem: the file has no certificate in PEM format\n"
    )
    write_certificate(tmp_path).rename(tmp_path / "a.pem")
    (tmp_path / "b.pem").write_bytes((tmp_path / "a.pem").read_bytes())
    assert run(["config", "check", str(file)]) == 0
