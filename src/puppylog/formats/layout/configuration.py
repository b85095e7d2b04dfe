"""Finds the log formats in a server's configuration, and the logs that use them: nginx's ``log_format``, Apache's
``LogFormat``.

Included files are not read, only listed: formats are mostly defined in the main file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from puppylog.errors import UsageError

_NGINX_TOKEN: Final = re.compile(
    r"""[ \t\r\n]+|\#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[;{}]|(?:\$\{\w*\}|\\.|[^\s;{}\\])+|.""", re.DOTALL
)
_NGINX_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_NGINX_ESCAPES: Final = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
_APACHE_WORD: Final = re.compile(r""""((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^ \t"']\S*)""")
_APACHE_ESCAPE: Final = re.compile(r"\\([\"'\\])")
_IS_APACHE: Final = re.compile(r"^\s*(?:LogFormat|CustomLog|GlobalLog)\s", re.MULTILINE | re.IGNORECASE)
_IS_NGINX: Final = re.compile(r"^[^#\n]*\b(?:log_format|access_log)\s", re.MULTILINE)

_PREDEFINED: Final = {
    "combined": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
}


class Server(Enum):
    """A server whose configuration has log formats."""

    NGINX = "nginx"
    APACHE = "Apache"


@dataclass(frozen=True, slots=True)
class WrittenLayout:
    """A log format as it is written in a configuration."""

    nickname: str  # empty if it has none
    written: str  # the string, all its parts concatenated, without the configuration's quotes and escapes
    server: Server
    escape: str = "default"  # nginx's parameter escape
    line: int = 0  # the number of its line, from 1; 0 for a format that the server defines itself
    used_by: tuple[str, ...] = ()  # the logs that use this format


@dataclass(frozen=True, slots=True)
class Configuration:
    """The log formats of a configuration."""

    layouts: tuple[WrittenLayout, ...]  # in the order of the configuration
    includes: tuple[str, ...]  # the included files, which are not read


@dataclass(frozen=True, slots=True)
class _Directive:
    words: Sequence[str]
    line: int


def find_layouts(text: str) -> Configuration:
    """Return the log formats in the text of a configuration of nginx or Apache.

    The result is empty if the text is no such configuration.
    """
    if _IS_APACHE.search(text):
        return _find_apache(list(_iter_apache(text)))
    if _IS_NGINX.search(text):
        return _find_nginx(list(_iter_nginx(text)))
    return Configuration((), ())


def choose_layout(found: Configuration, nickname: str, source: str) -> WrittenLayout:
    """Return the log format with this nickname.

    Args:
        found: the log formats of the configuration.
        nickname: the nickname; may be empty if the configuration has only one log format.
        source: the name of the configuration, for errors.

    Raises:
        UsageError: there is no such log format, or the nickname is empty and there are several.
    """
    names = [layout.nickname for layout in found.layouts if layout.nickname]
    if not nickname and len(found.layouts) == 1:
        return found.layouts[0]
    for layout in found.layouts:
        if nickname and layout.nickname == nickname:
            return layout
    if not found.layouts:
        elsewhere = f"; it includes {', '.join(found.includes)}" if found.includes else ""
        raise UsageError("find", f"a log format in {source}", f"it has no log_format or LogFormat{elsewhere}")
    cause = f"there is no {nickname!r}" if nickname else "there are several"
    raise UsageError("choose", f"a log format of {source}", cause, advice=f"name one of {', '.join(names)}")


def _find_nginx(directives: Sequence[_Directive]) -> Configuration:
    layouts = {
        directive.words[1]: read_nginx(directive.words, directive.line)
        for directive in directives
        if directive.words[0] == "log_format" and len(directive.words) > 2
    }
    logs = [directive.words for directive in directives if directive.words[0] == "access_log"]
    for log in logs:
        name = next((word for word in log[2:3] if "=" not in word), "combined")
        if log[1:2] != ["off"] and name not in layouts and name in _PREDEFINED:
            layouts[name] = WrittenLayout(name, _PREDEFINED[name], Server.NGINX)
        if log[1:2] != ["off"] and name in layouts:
            layouts[name] = _add_log(layouts[name], log[1])
    return Configuration(tuple(layouts.values()), _list_includes(directives))


def _find_apache(directives: Sequence[_Directive]) -> Configuration:
    layouts: dict[str, WrittenLayout] = {}
    for directive in directives:
        words = directive.words
        if words[0].lower() == "logformat" and len(words) > 1:
            layout = read_apache(words, directive.line)
            layouts[layout.nickname or layout.written] = layout
    for directive in directives:
        words = directive.words
        if words[0].lower() in {"customlog", "globallog"} and len(words) > 2:
            name = words[2]
            if "%" in name and name not in layouts:
                layouts[name] = WrittenLayout("", name, Server.APACHE, line=directive.line)
            if name in layouts:
                layouts[name] = _add_log(layouts[name], words[1])
    return Configuration(tuple(layouts.values()), _list_includes(directives))


def read_nginx(words: Sequence[str], line: int = 0) -> WrittenLayout:
    """Return the log format of the words of ``log_format name [escape=…] string…``."""
    escape = "default"
    parts = list(words[2:])
    if parts and parts[0].startswith("escape="):
        escape = parts.pop(0).removeprefix("escape=")
    return WrittenLayout(words[1], "".join(parts), Server.NGINX, escape, line)


def read_apache(words: Sequence[str], line: int = 0) -> WrittenLayout:
    """Return the log format of the words of ``LogFormat string [nickname]``."""
    return WrittenLayout(words[2] if len(words) > 2 else "", words[1], Server.APACHE, line=line)


def split_nginx(text: str) -> Sequence[str]:
    """Return the words of the first directive in a configuration of nginx."""
    return next(iter(_iter_nginx(text + "\n;"))).words


def split_apache(text: str) -> Sequence[str]:
    """Return the words of the first directive in a configuration of Apache."""
    return next(iter(_iter_apache(text))).words


def _add_log(layout: WrittenLayout, log: str) -> WrittenLayout:
    return replace(layout, used_by=(*layout.used_by, log))


def _list_includes(directives: Sequence[_Directive]) -> tuple[str, ...]:
    names = {"include", "includeoptional"}
    return tuple(
        word for directive in directives if directive.words[0].lower() in names for word in directive.words[1:]
    )


def _iter_nginx(text: str) -> Iterator[_Directive]:
    words: list[str] = []
    first_line = line = 1
    for match in _NGINX_TOKEN.finditer(text):
        token = match[0]
        if token in {";", "{", "}"}:
            if words:
                yield _Directive(words, first_line)
            words = []
        elif not token.isspace() and token[0] != "#":
            if not words:
                first_line = line
            words.append(_unquote(token))
        line += token.count("\n")


def _unquote(token: str) -> str:
    if token[0] in "\"'" and len(token) > 1:
        token = token[1:-1]
    return _NGINX_ESCAPE.sub(lambda match: _NGINX_ESCAPES.get(match[1], match[0]), token)


def _iter_apache(text: str) -> Iterator[_Directive]:
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, first in lines:
        line = first
        while line.endswith("\\"):
            line = line[:-1] + next(lines, (0, ""))[1]
        line = line.strip()
        if line and not line.startswith("#"):
            words = [_get_word(match) for match in _APACHE_WORD.finditer(line)]
            if words:
                yield _Directive(words, number)


def _get_word(match: re.Match[str]) -> str:
    quoted = match[1] if match[1] is not None else match[2]
    return match[3] if quoted is None else _APACHE_ESCAPE.sub(r"\1", quoted)
