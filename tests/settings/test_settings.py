import os
import pwd
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import pytest

from puppylog import settings
from puppylog.errors import ConfigurationError
from puppylog.settings import Settings, find_zone, read_settings
from puppylog.stores.address import StoreAddress
from puppylog.stores.connect import parse_duckdb_url


@pytest.fixture(autouse=True)
def _no_system_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "SYSTEM_FILE", tmp_path / "etc" / "config.toml")


def write_user_file(home: Path, text: str) -> dict[str, str]:
    folder = home / ".config" / "puppylog"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(text)
    return {"HOME": str(home)}


def write_system_file(text: str) -> None:
    settings.SYSTEM_FILE.parent.mkdir()
    settings.SYSTEM_FILE.write_text(text)


def test_by_default_the_store_is_in_the_users_data_directory(tmp_path: Path) -> None:
    assert read_settings({}, {"HOME": str(tmp_path)}) == Settings(
        store=StoreAddress(f"duckdb://{tmp_path}/.local/share/puppylog"),
        color=None,
        output="table",
        zone=None,
        host=read_settings({}, {"HOME": "/"}).host,
        quiet=False,
    )


def test_the_xdg_data_directory_is_honoured() -> None:
    assert read_settings({}, {"HOME": "/home/ada", "XDG_DATA_HOME": "/data"}).store.url == "duckdb:///data/puppylog"


def test_odd_characters_in_home_are_quoted_in_the_url() -> None:
    assert (
        read_settings({}, {"HOME": "/home/100% ada"}).store.url == "duckdb:///home/100%25%20ada/.local/share/puppylog"
    )


@pytest.mark.parametrize(
    "home", ["/home/jürgen", "/home/a#b", "/home/with blank", "/home/cur{ly", "/home/odd\udcff%20"]
)
def test_the_url_of_the_default_store_leads_back_to_the_home_directory(home: str) -> None:
    path = parse_duckdb_url(read_settings({}, {"HOME": home}).store.url)
    assert os.fsencode(path) == os.fsencode(home) + b"/.local/share/puppylog"


def test_without_home_the_home_directory_comes_from_the_systems_list_of_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwuid", lambda _: pwd.struct_passwd(("ada", "x", 1, 1, "", "/home/ada", "")))
    for environ in ({}, {"HOME": ""}, {"HOME": "relative"}):
        assert read_settings({}, environ).store.url == "duckdb:///home/ada/.local/share/puppylog"


def test_a_user_without_a_home_directory_must_name_a_store_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nobody(_: int) -> NoReturn:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", find_nobody)
    assert read_settings({"store": "duckdb:///given"}, {}).store.url == "duckdb:///given"
    assert read_settings({}, {"XDG_DATA_HOME": "/data"}).store.url == "duckdb:///data/puppylog"
    with pytest.raises(ConfigurationError, match="cannot find a place for the store: HOME is not set"):
        read_settings({}, {})


def test_a_relative_xdg_directory_is_ignored() -> None:
    store = read_settings({}, {"HOME": "/home/ada", "XDG_DATA_HOME": "data"}).store.url
    assert store == "duckdb:///home/ada/.local/share/puppylog"


def test_flags_take_precedence_over_the_users_file_and_that_over_the_systems(tmp_path: Path) -> None:
    write_system_file('store = "duckdb:///system"\ntz = "Asia/Tokyo"\noutput = "csv"')
    environ = write_user_file(tmp_path, 'store = "duckdb:///user"\ntz = "Europe/Berlin"')
    found = read_settings({"store": "duckdb:///given"}, environ)
    assert (found.store.url, found.zone, found.output) == ("duckdb:///given", ZoneInfo("Europe/Berlin"), "csv")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ('shop = "duckdb:///x"', r"unknown key 'shop'"),
        ("store = 7", r"store must be a string, not 7"),
        ('quiet = "yes"', r"quiet must be true or false, not 'yes'"),
        ('color = "blue"', r"color must be one of auto, always, never, not 'blue'"),
        ('tz = "Mars/Olympus"', r"tz: cannot use time zone 'Mars/Olympus'"),
        ("store = ", r"Invalid value"),
    ],
)
def test_the_error_of_a_bad_file_names_the_file_and_the_key(tmp_path: Path, text: str, cause: str) -> None:
    environ = write_user_file(tmp_path, text)
    with pytest.raises(ConfigurationError, match=cause) as refusal:
        read_settings({}, environ)
    assert str(tmp_path / ".config" / "puppylog" / "config.toml") in refusal.value.message
    assert "\n" not in refusal.value.message


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    environ = write_user_file(tmp_path, "")
    (tmp_path / ".config" / "puppylog" / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        read_settings({}, environ)


def test_a_directory_at_the_path_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".config" / "puppylog" / "config.toml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_settings({}, {"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("given", "environ", "color"),
    [
        ({}, {}, None),
        ({}, {"NO_COLOR": "1"}, False),
        ({}, {"NO_COLOR": ""}, None),
        ({}, {"TERM": "dumb"}, False),
        ({}, {"FORCE_COLOR": "1"}, True),
        ({}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"color": "always"}, {"NO_COLOR": "1"}, True),
        ({"color": "never"}, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_color_is_chosen_by_flag_then_environment(
    given: dict[str, object], environ: dict[str, str], color: bool | None
) -> None:
    assert read_settings(given, {"HOME": "/", **environ}).color is color


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "a\0b"])
def test_an_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot use time zone"):
        find_zone(name)


def test_the_local_zone_is_the_machines_own() -> None:
    assert find_zone("local") is None
