"""The log formats in a whole configuration."""

import pytest

from puppylog.errors import UsageError
from puppylog.formats.base import Options
from puppylog.formats.layout.configuration import Server, choose_layout, find_layouts
from puppylog.formats.registry import find_format, list_configured_formats

NGINX = r"""
user www-data;  # log_format none '$host';
http {
    include mime.types;
    log_format main '$remote_addr [$time_local] "$request" '
                    # the answer
                    '$status';
    log_format tabs "$status\t\"${host}\"";
    log_format 'json' escape=json '{"time":"$time_iso8601"}';
    access_log /var/log/nginx/access.log main buffer=32k;
    server {
        access_log /var/log/nginx/other.log main; access_log off;
        location /a { access_log /var/log/nginx/a.log; }
    }
    include /etc/nginx/conf.d/*.conf;
}
"""

APACHE = r"""
# LogFormat "%h" quiet
LogFormat "%h %l %u %t \"%r\" %>s %b" common
logformat "%v %h \
%>s" vhosts
<VirtualHost *:80>
    CustomLog ${APACHE_LOG_DIR}/access.log common env=!quiet
    CustomLog "|/usr/bin/rotatelogs /var/log/other 86400" "%t %>s"
</VirtualHost>
IncludeOptional conf-enabled/*.conf
"""


def test_nginx_formats_are_found_with_their_parts_and_the_logs_that_use_them() -> None:
    found = find_layouts(NGINX)
    main, tabs, json, combined = found.layouts
    assert (main.nickname, main.written) == ("main", '$remote_addr [$time_local] "$request" $status')
    assert (main.line, main.used_by) == (5, ("/var/log/nginx/access.log", "/var/log/nginx/other.log"))
    assert tabs.written == '$status\t"${host}"'
    assert (json.nickname, json.escape, json.used_by) == ("json", "json", ())
    assert (combined.nickname, combined.line, combined.used_by) == ("combined", 0, ("/var/log/nginx/a.log",))
    assert {layout.server for layout in found.layouts} == {Server.NGINX}


def test_included_files_are_listed() -> None:
    assert find_layouts(NGINX).includes == ("mime.types", "/etc/nginx/conf.d/*.conf")
    assert find_layouts(APACHE).includes == ("conf-enabled/*.conf",)


def test_apache_formats_are_found_with_nicknames_and_without() -> None:
    common, vhosts, own = find_layouts(APACHE).layouts
    assert (common.nickname, common.written) == ("common", '%h %l %u %t "%r" %>s %b')
    assert (common.line, common.used_by) == (3, ("${APACHE_LOG_DIR}/access.log",))
    assert (vhosts.nickname, vhosts.written) == ("vhosts", "%v %h %>s")
    assert (own.nickname, own.written, own.server) == ("", "%t %>s", Server.APACHE)
    assert own.used_by == ("|/usr/bin/rotatelogs /var/log/other 86400",)


@pytest.mark.parametrize("text", ["", "hello", "[server]\nport = 80\n", "http { server { listen 80; } }", "\"'{{;"])
def test_a_text_without_log_formats_has_none(text: str) -> None:
    assert find_layouts(text).layouts == ()


def test_a_format_is_chosen_by_its_nickname() -> None:
    assert choose_layout(find_layouts(NGINX), "tabs", "nginx.conf").nickname == "tabs"
    assert choose_layout(find_layouts("log_format a '$host';"), "", "nginx.conf").nickname == "a"


@pytest.mark.parametrize(
    ("text", "nickname", "message"),
    [
        (NGINX, "x", "cannot choose a log format of a.conf: there is no 'x'; name one of main, tabs, json, combined"),
        (APACHE, "", "cannot choose a log format of a.conf: there are several; name one of common, vhosts"),
        ("", "", "cannot find a log format in a.conf: it has no log_format or LogFormat"),
        (
            "include b.conf; access_log off;",
            "",
            "cannot find a log format in a.conf: it has no log_format or LogFormat; it includes b.conf",
        ),
    ],
)
def test_an_impossible_choice_lists_the_log_formats(text: str, nickname: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        choose_layout(find_layouts(text), nickname, "a.conf")
    assert error.value.message == message


def test_the_formats_that_logs_use_come_first() -> None:
    names = [format_.name for format_ in list_configured_formats(NGINX, "nginx.conf", Options())]
    assert names[::2] == ["main", "tabs"]
    assert names[1].startswith("$remote_addr - $remote_user ")  # "combined" is another format's name
    assert names[3] == "json"
    (tabs,) = list_configured_formats(NGINX, "nginx.conf", Options(), "tabs")
    assert tabs.open().parse(b'200\t"a"\n', 0, 0).records["status_code"].to_pylist() == [200]


def test_the_name_of_a_format_from_several_lines_has_one_line() -> None:
    assert find_format("log_format main '$host '\n    '$status';\n").name == "log_format main '$host '     '$status';"
