"""The tables of docs/format-samples.md, and the list of kinds in docs/formats.md.

They are made from the samples of the formats, which tests execute. ``PYTHONPATH=tests python -m support.formats_page``
writes them anew.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from formats.sample_files import READ_AT, Sample, line_of, read_samples

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "format-samples.md"
OVERVIEW = ROOT / "docs" / "formats.md"
FILES = ROOT / "src" / "puppylog" / "formats" / "files"

_LIST = re.compile(r"(<!-- list of kinds -->\n).*?(<!-- end of the list -->)", re.DOTALL)
_MARKED = re.compile(r"(<!-- kinds of (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)

_WRITTEN: Final = """
web servers and proxies: squid squid_cache caddy_console lighttpd_error varnishlog modsecurity_audit uwsgi heroku fly
    nginx_proxy_manager envoy_application trafficserver tinyproxy privoxy
    bigip gin sling
    joomla mediamtx filezilla_server serv_u
    iis_native
    krakend linkerd_proxy
Amazon Web Services: aws_alb aws_elb aws_nlb aws_s3 aws_cloudfront_realtime aws_vpc_flow aws_route53 aws_lambda
PHP, Python, Ruby, .NET and C++: php werkzeug django_runserver uvicorn celery airflow twisted rails rails_requests puma
    sidekiq supervisord nlog
    elixir swift_log
    dancer pm2 npm
    daphne prestashop
    go_logging apex_log
    kratos locust
    catalyst julia tracing_pretty code_server azure_app_service g3log
Java: tomcat java_util_logging jenkins weblogic websphere glassfish elasticsearch cassandra activemq trino sonarqube
    jira openjdk
    wso2 gerrit bamboo gradle nextflow
    java_service_wrapper shibboleth_idp
    slf4j_simple tinylog
databases and queues: mysql_error mysql_slow mysql_general mariadb_audit proxysql pgbouncer pgpool redis mongodb_text
    couchdb couchbase influxdb clickhouse cockroachdb tidb sqlserver oracle_alert db2diag hana erlang mosquitto nats
    questdb vertica
    greenplum
    rethinkdb firebird sybase foundationdb sqlanywhere openedge intersystems orientdb gearmand siebel
    ibm_mq pgbackrest tdengine sap_trace
    ssis
    pentaho aerospike ravendb
    oracle_log_xml
    mysqlrouter oceanbase
clusters and storage: capnslog hclog ceph gluster slurm pbs oslo coredns fluent_bit telegraf splunkd
    minio corosync pacemaker datadog_agent
    brocade ontap synology ray compose gitlab_runner bazel
    glog_variants beegfs juju htcondor_events openvswitch
    veritas_cluster nccl google_guest_agent
    powerha
names, mail and files: bind unbound pihole powerdns_recursor exim dovecot mailman spamassassin rspamd clamav
    hmailserver vsftpd xferlog proftpd samba cups cups_page oracle_messaging
    sogo
    haraka
security and networks: auditd fail2ban snort snort_full suricata ossec_alerts cef leef fortigate sophos_utm mikrotik
    strongswan openvpn sudo sulog freeradius directory_389 tor vaultwarden ossec krb5
    stunnel unifi
    cisco_iosxr huawei_vrp h3c arista procurve sonicwall openvas falco rkhunter
    extremexos meraki globalprotect
    cisco_wlc metasploit
    dante
    aide
    opendj
    sophos_firewall
operating systems and packages: dmesg xorg journal_export journal_verbose macos_log cloud_init svlogd dpkg
    apt_history apt_term alternatives yum dnf pacman
    lightdm
    zypper
    aix_errpt
    date_command
    libdnf
Windows: cbs setupapi windows_update dhcp_windows netlogon cmtrace sharepoint
    configmgr_server nps winscp
    powershell_transcript nomachine anydesk guacd
virtual machines and administration: libvirt vmware pveproxy vzdump salt ansible nagios icinga2 zabbix monit gitea
    gitlab_application github_actions bacula veeam duplicati
    amanda commvault ipmi_sel
    proxmox_task lsyncd
    acronis
    xen lxc firecracker netbackup checkmk
    ganeti
    quoted_time
    netbackup_legacy logfmt_stamp epoch
    pve_firewall dokuwiki pve_tasks
phones, homes, games and media: logcat asterisk freeswitch node_red fhem frigate kodi plex mpd minecraft srcds unreal
    teamspeak chromium geth zigbee2mqtt jitsi kamailio prosody sabnzbd emby
    janus coturn factorio klipper transmission
    opensips yate esphome domoticz qbittorrent project_zomboid seven_days eclipse mozilla wine
    space_engineers zoneminder mythtv nextcloud_desktop
    moonraker audiocodes
    asterisk_queue ddnet netgear
"""

FAMILIES: Final[Mapping[str, Sequence[str]]] = {
    title: names.split()
    for title, _, names in (line.partition(": ") for line in _WRITTEN.replace("\n    ", " ").strip().splitlines())
}
"""The formats that are files, by the sections of the page."""

_LONGEST: Final = {"line": 110, "message": 50, "attributes": 80}  # characters in a cell
_PER_FORMAT: Final = 2  # samples in the page
_MORE: Final = {"app": 30, "json": 20}  # the same for formats of many programs: samples at equal distances
_NO_TIME: Final = READ_AT.isoformat().replace("+00:00", "Z")
_COLUMNS: Final = (
    "host",
    "ruser",
    "request_method",
    "request_route",
    "status_code",
    "response_bytes",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: a sample and what it becomes."""

    name: str
    line: str
    record: Mapping[str, Any]


def write_page() -> None:
    """Write the tables of the samples and the list of kinds anew."""
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    OVERVIEW.write_text(with_list(OVERVIEW.read_text(encoding="utf-8")), encoding="utf-8")


def with_list(page: str) -> str:
    """Return the text of the overview with the list of all kinds, by the sections of the samples."""
    native = list_marked(PAGE.read_text(encoding="utf-8"))[0].split(", ")
    sections = {"formats with readers of their own": native, **FAMILIES}
    items = [f"- {_link(title)}: {', '.join(f'`{name}`' for name in names)}" for title, names in sections.items()]
    return _LIST.sub(lambda marked: "{}\n{}\n\n{}".format(marked[1], "\n".join(items), marked[2]), page)


def _link(title: str) -> str:
    """Return a link to a section of the samples."""
    anchor = re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
    return f"[{title[0].upper()}{title[1:]}](format-samples.md#{anchor})"


def with_tables(page: str) -> str:
    """Return the text of the page with the tables that the samples give."""
    return _MARKED.sub(lambda marked: f"{marked[1]}{_draw(iter_rows(marked[2]))}{marked[3]}", page)


def list_marked(page: str) -> list[str]:
    """Return the names of the sections that have a table, in the order of the page."""
    return [name for _, name, _ in _MARKED.findall(page)]


def iter_rows(family: str) -> Iterator[Row]:
    """Yield the rows of a section."""
    if family not in FAMILIES:
        for name in family.split(", "):
            yield from _iter_text_samples(name)
        return
    for name in FAMILIES[family]:
        samples = tomllib.loads((FILES / f"{name}.toml").read_text(encoding="utf-8"))["samples"]
        shown = [sample for sample in samples if "record" in sample][:_PER_FORMAT]
        for sample in shown:
            yield Row(name, sample["line"].rstrip("\n"), sample["record"])


def _iter_text_samples(family: str) -> Iterator[Row]:
    """Yield some samples of a format with a reader of its own, and all whose titles begin with ``kind:``."""
    samples = [sample for sample in read_samples(family) if sample.get("record", "").startswith("{")]
    named = [sample for sample in samples if sample["title"].startswith("kind: ")]
    others = [sample for sample in samples if sample not in named]
    count = _MORE.get(family, _PER_FORMAT)
    shown = others[:: max(1, len(others) // count)][:count] if family in _MORE else others[:count]
    for sample in [*shown, *named]:
        yield _read_row(family, sample)


def _read_row(family: str, sample: Sample) -> Row:
    return Row(sample.get("as", family), line_of(sample).decode(errors="replace"), json.loads(sample["record"]))


def _draw(rows: Iterator[Row]) -> str:
    lines = [
        "| format | sample line | time | severity | message | columns and attributes |",
        "|---|---|---|---|---|---|",
    ]
    last = ""
    for row in rows:
        others = {name: row.record[name] for name in _COLUMNS if name in row.record}
        others |= row.record.get("attributes", {})
        cells = [
            "" if row.name == last else f"`{row.name}`",
            _code(row.line, "line"),
            str(row.record.get("ts", "")).replace(_NO_TIME, ""),
            str(row.record.get("severity", "")),
            _code(row.record.get("message", ""), "message"),
            _code(", ".join(f"{name}={_plain(value)}" for name, value in others.items()), "attributes"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
        last = row.name
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _code(text: str, cell: str) -> str:
    """Return a text as code of one line. The mark … stands for what is cut, ⏎ for a new line, → for a tab."""
    if not text:
        return ""
    shown = text.replace("\r", "").replace("\n", "⏎").replace("\t", "→")
    shown = "".join(character if character.isprintable() else "·" for character in shown)
    if len(shown) > _LONGEST[cell]:
        shown = shown[: _LONGEST[cell] - 1] + "…"
    ticks = "``" if "`" in shown else "`"
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}".replace("|", "\\|")


if __name__ == "__main__":
    write_page()
