from datetime import UTC, datetime
from pathlib import Path

import pytest

from puppylog.config import tables
from puppylog.config.contact_tables import TITLE
from puppylog.config.reading import check_configuration
from puppylog.errors import ConfigurationError
from puppylog.model.alert import ALERT_STATISTICS, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.model.silence import Silence
from puppylog.settings import TABLES
from support.configuration_files import Write, list_faults, read


def test_a_source_has_the_options_of_a_collector(write: Write, tmp_path: Path) -> None:
    (tmp_path / "nginx.conf").write_text("log_format main '$remote_addr $status';\naccess_log /a main;\n")
    path = write(
        """
        [[source]]
        paths = ["/var/log/a.log", "logs/*.log"]
        format = "main"
        format_file = "nginx.conf"
        group = "shop"
        tz = "Europe/Berlin"
        year = 2024
        from_end = true
        multiline = "^[0-9]"
        multiline_timeout = "5s"
        now = true
        """
    )
    (source,) = read(path).sources
    assert source.paths == ("/var/log/a.log", f"{tmp_path}/logs/*.log")
    assert (source.format, source.format_file) == ("main", tmp_path / "nginx.conf")
    assert (source.group, source.tz, source.year) == ("shop", "Europe/Berlin", 2024)
    assert (source.from_end, source.multiline, source.multiline_timeout_s, source.now) == (True, "^[0-9]", 5, True)


def test_a_metric_of_the_file_is_that_of_the_command_line(write: Write) -> None:
    path = write(
        """
        [[metric]]
        name = "slow"
        statistic = "P99.0"
        property = "attributes.duration_ms"
        period = "5m"
        segment = "split_part(request_route, '/', 2)"
        filter = "severity>=error attributes.shop:a"
        group = "shop"
        """
    )
    (metric,) = read(path).define_metrics({})
    assert (metric.statistic, metric.property, metric.period_s, metric.refresh_s) == (
        "p99",
        "attributes.duration_ms",
        300,
        300,
    )
    assert metric.segment == "SPLIT_PART(request_route, '/', 2)"
    assert metric.filter is not None
    assert "severity" in metric.filter
    assert "attributes ->> 'shop'" in metric.filter
    assert metric.group == "shop"


def test_derived_metrics_come_after_their_inputs_of_the_file_or_of_the_store(write: Write) -> None:
    path = write(
        """
        [[metric]]
        name = "twice"
        from = "share * 2"
        [[metric]]
        name = "share"
        from = "errors / total"
        [[metric]]
        name = "errors"
        filter = "status_code >= 500"
        """
    )
    metrics = read(path).define_metrics({"total": Metric("total", "count", "*", period_s=60)})
    assert [metric.name for metric in metrics] == ["errors", "share", "twice"]
    with pytest.raises(ConfigurationError, match=r'\[\[metric\]\] "share": from: .*there is no metric \'total\''):
        read(path).define_metrics({})


def test_an_alert_takes_its_defaults_from_its_metric(write: Write) -> None:
    path = write(
        """
        [[alert]]
        name = "busy"
        metric = "total"
        comparison = ">="
        threshold = 10
        for = "1m"
        """
    )
    configuration = read(path)
    (alert,) = configuration.define_alerts({"total": Metric("total", "count", "*", period_s=30)})
    assert (alert.comparison, alert.threshold, alert.window_s, alert.for_s) == (Comparison.AT_LEAST, 10.0, 120, 60)
    assert (alert.delay_s, alert.no_data) == (30, NoData.ZERO)
    with pytest.raises(ConfigurationError, match="metric: there is no metric 'total'"):
        configuration.define_alerts({})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '[[alert]]\nname = "errors"\nmetric = "m"\ncomparison = ">"\nthreshold = 1\ntreshold = 1',
            "[[alert]] \"errors\": unknown key 'treshold' (did you mean 'threshold'?)",
        ),
        ("[[source]]\npaths = []", "[[source]] 1: paths must be a list of at least one string, not []"),
        (
            'store = "mysql://a"',
            (
                "store: cannot open store mysql://…: write duckdb:///path/of/a/directory, "
                "postgresql://user@host/database or https://host:7380"
            ),
        ),
        (
            'store = "duckdb://a"',
            "store: cannot open store 'duckdb://a': the path must be absolute, as in duckdb:///var/lib/puppylog",
        ),
        (
            '[[silence]]\nname = "s"\nstarts = 2026-01-01T00:00:00\nends = 2026-01-02T00:00:00Z',
            (
                '[[silence]] "s": starts must be a time with an offset, such as 2026-01-31T09:00:00Z, '
                "not 2026-01-01T00:00:00"
            ),
        ),
        ("[[source]]\npaths = true", "[[source]] 1: paths must be a list of at least one string, not true"),
        (
            '[[source]]\nformat = "plain"',
            "[[source]] 1: paths is missing; name files, or write journal, kubernetes or docker = true",
        ),
        (
            '[[source]]\npaths = ["-"]',
            "[[source]] 1: paths: '-', standard input, cannot be a source in a configuration file",
        ),
        ('[[source]]\npaths = ["a"]\nyear = 1', "[[source]] 1: year must be a whole number from 2 to 9998, not 1"),
        ('[[source]]\npaths = ["a"]\nfrom_end = 1', "[[source]] 1: from_end must be true or false, not 1"),
        (
            '[[source]]\npaths = ["a"]\ntz = "Mars/Base"',
            "[[source]] 1: tz: cannot use time zone 'Mars/Base': write UTC, local, or a name such as Europe/Berlin",
        ),
        ('[source]\npaths = ["a"]', "source must be written as [[source]]"),
        (
            '[[metric]]\nname = "A"',
            (
                "[[metric]] \"A\": name: cannot use the name 'A': a name has lower-case letters, "
                "digits and '_' only, and does not start with a digit"
            ),
        ),
        (
            '[[metric]]\nname = "a"\nperiod = 60',
            '[[metric]] "a": period must be a length of time such as "10s", "5m", "2h" or "30d", not 60',
        ),
        ('[[metric]]\nname = "a"\nperiod = "0s"', '[[metric]] "a": period must be at least 1s'),
        (
            '[[metric]]\nname = "a"\nstatistic = "ratio"',
            '[[metric]] "a": of: a ratio needs the records whose share it is',
        ),
        ('[[metric]]\nname = "a"\nfrom = "a + 1"', "[[metric]] \"a\": from: metric 'a' would be derived from itself"),
        (
            '[[metric]]\nname = "a"\nfrom = "b"\nperiod = "1m"',
            (
                '[[metric]] "a": period cannot be used together with from: '
                "period, segments and records of a derived metric are those of its inputs"
            ),
        ),
        (
            '[[alert]]\nname = "a"\nmetric = "m"\ncomparison = "="\nthreshold = 1',
            "[[alert]] \"a\": comparison must be one of >, >=, <, <=, not '='",
        ),
        (
            '[[metric]]\nname = "m"\n[[alert]]\nname = "a"\nmetric = "m"\ncomparison = ">"\nthreshold = inf',
            '[[alert]] "a": its threshold of inf is not finite',
        ),
        ('colour = "auto"', "unknown key 'colour' (did you mean 'color'?)"),
    ],
)
def test_a_fault_names_the_table_and_the_key(write: Write, text: str, fault: str) -> None:
    assert list_faults(write(text)) == [fault]


def test_all_faults_are_found_and_the_first_one_is_raised(write: Write) -> None:
    path = write('quiet = 1\n[[metric]]\nname = "a"\nperiod = "x"\nstatistic = 1\n[[alert]]\nname = "b"\n')
    assert len(list_faults(path)) == 6
    with pytest.raises(ConfigurationError, match="quiet must be true or false, not 1; there are 5 more faults"):
        read(path)


def test_metrics_that_are_derived_from_each_other_are_refused(write: Write) -> None:
    path = write('[[metric]]\nname = "a"\nfrom = "b"\n[[metric]]\nname = "b"\nfrom = "a"\n')
    assert len(list_faults(path)) == 2


def test_a_file_that_is_no_toml_is_refused_with_the_line(write: Write) -> None:
    _, (fault,) = check_configuration([write("[[source]\n")])
    assert "line 1" in fault.message


def test_an_error_in_the_format_of_a_source_is_found(write: Write) -> None:
    (fault,) = list_faults(write('[[source]]\npaths = ["a"]\nformat = "combned"\n'))
    assert fault.startswith("[[source]] 1: format: cannot use format 'combned'")


def test_a_name_that_stands_twice_is_refused_with_both_places(write: Write, tmp_path: Path) -> None:
    (tmp_path / "more.toml").write_text('[[metric]]\nname = "a"\n')
    path = write('include = ["more.toml"]\n[[metric]]\nname = "a"\n')
    _, (fault,) = check_configuration([path])
    assert str(fault) == (
        f'cannot use {tmp_path}/more.toml: [[metric]] "a": the name is used twice: here as number 1, '
        f"and as number 1 of {path}"
    )


def test_included_files_are_read_in_the_order_of_their_names(write: Write, tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    for name in ("b", "a"):
        (tmp_path / "conf.d" / f"{name}.toml").write_text(f'[[metric]]\nname = "{name}"\n')
    configuration = read(write('include = ["conf.d/*.toml", "none.d/*.toml"]\n[[metric]]\nname = "z"\n'))
    assert [metric.name for metric in configuration.metrics] == ["z", "a", "b"]
    assert [file.name for file in configuration.files] == ["config.toml", "a.toml", "b.toml"]


def test_a_cycle_of_includes_is_refused_with_its_chain(write: Write, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text('include = ["config.toml"]\n')
    path = write('include = ["b.toml"]\n')
    _, (fault,) = check_configuration([path])
    assert str(fault) == (
        f"cannot use {tmp_path}/b.toml: include: a cycle: {path} includes {tmp_path}/b.toml includes "
        f"{tmp_path}/config.toml"
    )


def test_an_included_file_must_exist_and_have_no_settings(write: Write, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("quiet = true\n")
    _, faults = check_configuration([write('include = ["b.toml", "c.toml"]\n')])
    assert [fault.cause for fault in faults] == [
        "include: there is no file 'c.toml'",
        "quiet belongs in the file that includes this one",
    ]


def test_a_retention_says_which_records_are_kept(write: Write, tmp_path: Path) -> None:
    path = write(
        """
        [retention]
        keep = "30d"
        max_size = "1.5 GB"
        archive = "archive"
        [retention.groups]
        shop = "7d"
        mail = "12h"
        """
    )
    assert read(path).retention == Retention(
        30 * 86400, (("mail", 12 * 3600), ("shop", 7 * 86400)), 1_500_000_000, f"{tmp_path}/archive"
    )
    assert read(write("")).retention is None
    assert read(write("[retention]")).retention == KEEP_ALL


def test_a_silence_is_declared_with_its_instants(write: Write) -> None:
    path = write(
        """
        [[silence]]
        name = "upgrade of the database"
        alert = "db_*"
        starts = 2026-03-01T22:00:00+01:00
        ends = 2026-03-01T23:30:00Z
        author = "ada"
        """
    )
    starts_at, ends_at = datetime(2026, 3, 1, 21, tzinfo=UTC), datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    [silence] = read(path).silences
    assert silence == Silence("upgrade of the database", "db_*", "*", starts_at, ends_at, "ada", "", is_declared=True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[retention]\nkeep = "30m"', "[retention]: cannot use keep 30m: it must be 1h to 24855d"),
        ('[retention]\nmax_size = "1MB"', "[retention]: cannot use maximum size 1 MB: it must be at least 50 MB"),
        ('[retention]\nmax_size = "big"', "[retention]: max_size: "),
        ("[retention]\nmax_size = 5", '[retention]: max_size must be a size such as "200MB" or "10GB", not 5'),
        ('[retention.groups]\nShop = "7d"', "[retention]: cannot name group 'Shop'"),
        ('[[retention]]\nkeep = "1d"', "retention must be written as [retention]"),
        ('[[silence]]\nname = "a"\nends = 2026-03-01T00:00:00Z', '[[silence]] "a": starts is missing'),
        (
            '[[silence]]\nname = "a"\nstarts = 2026-03-01T00:00:00\nends = 2026-03-01T00:00:00Z',
            '[[silence]] "a": starts must be a time with an offset, such as 2026-01-31T09:00:00Z',
        ),
        (
            '[[silence]]\nname = "a"\nstarts = 2026-03-01T00:00:00Z\nends = 2026-03-01T00:00:00Z',
            '[[silence]] "a": it does not end after its start',
        ),
    ],
)
def test_a_wrong_retention_or_silence_is_a_fault_of_its_table(write: Write, text: str, fault: str) -> None:
    [found] = list_faults(write(text))
    assert found.startswith(fault)


def test_a_retention_stands_in_one_of_the_files(write: Write, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text("[retention]")
    [found] = check_configuration([write('include = ["b.toml"]\n[retention]')])[1]
    assert found.message == (
        f"cannot use {tmp_path}/b.toml: [retention]: the table is given twice: here and in {tmp_path}/config.toml"
    )


def test_the_settings_know_the_names_of_all_tables() -> None:
    titles = [table.title for table in (*tables.LISTED, *tables.SINGLE)]
    assert set(TABLES) == {"include", TITLE, *(name for name in titles if "." not in name)}


def test_the_statistics_of_an_alert_are_those_of_the_model() -> None:
    annotation = tables.AlertTable.__annotations__["statistic"]
    assert annotation.__origin__.__args__ == ALERT_STATISTICS


def test_a_byte_order_mark_is_no_part_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b'\xef\xbb\xbftz = "Mars/Base"\n')
    assert list_faults(path) == [
        "tz: cannot use time zone 'Mars/Base': write UTC, local, or a name such as Europe/Berlin"
    ]


def test_a_file_that_is_not_utf_8_is_named_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"quiet = true\n# caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"cannot read .*config\.toml: it is not UTF-8 \(at line 2\)"):
        read(path)
