"""The meaning of field names: one table, used by every format whose fields have names.

The table has the names that Caddy, Traefik, nginx, Docker, Envoy, Kubernetes, Heroku, journald, ECS, OpenTelemetry,
GELF, Google Cloud, AWS, Cloudflare, MongoDB, Elasticsearch, PostgreSQL, Zeek, Suricata and Windows use, and the loggers
Bunyan, pino, winston, zap, logrus, zerolog, structlog, Serilog, Log4j and ``tracing``.

Names are compared without case, ``_`` and ``-``: ``userAgent``, ``User-Agent`` and ``user_agent`` are the same name,
written ``useragent`` here. A dot means nesting: ``request.uri`` is the member ``uri`` of the object ``request``, or a
field whose whole name is ``request.uri``.

Many names mean a field only in some lines: ``path`` is the route of a request, or the name of a file. Such a name has a
rule after a colon, which says what else the line must have (see `RULES`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from puppylog.formats.severity import NOTATIONS

RULES: Final = ("", "request", "no request", "method", "sender")
"""When a name means its field: always; only in a line with a request; only in a line without one; if the value is a
method of HTTP; or only in a line of GELF or Logstash, where the host is the sender's."""

SIGNS: Final = ("gelf", "logstash", "nextcloud", "windows", "mongodb", "clef", "datadog", "apple")
"""What a name says about the whole line. A severity of another member is then read in the notation of this format."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a name means."""

    field: str  # one of FIELDS; empty if the name is only a sign
    rank: int  # if a line has several names of one field, the name with the lowest rank fills it
    rule: str = ""  # one of RULES
    notation: str = NOTATIONS[0]  # of a severity
    sign: str = ""  # one of SIGNS, or empty


_NAMES: Final[Mapping[str, str]] = {
    "ts": """
        timeunixnano observedtimeunixnano startutc edgestarttimestamp msec @timestamp timestamp time ts @t t.$date t
        datetime timeiso8601 timelocal asctime eventtime eventtimestamp starttime sourcerealtimetimestamp
        realtimetimestamp timemillis querytimestamp requestreceivedtimestamp instant.epochsecond timestamp.seconds
        timecreated event.system.timecreated.#attributes.systemtime timecreated.systemtime systemtime timegenerated
        datelocal edgeendtimestamp date syslogtimestamp logtimestamp createdat created loggedat receivetimestamp
        fields.timestamp published
    """,
    "nanoseconds": "instant.nanoofsecond timestamp.nanos",
    "severity": """
        level severity lvl loglevel levelname log.level @l @level severitytext leveldisplayname errorseverity:postgresql
        s:mongodb event.system.level:windows severitylabel syslogseveritytext syslogseverity:syslog
        log.syslog.severity.name jsonpayload.level jsonpayload.severity fields.level priority:syslog
        syslogseveritycode:syslog log.syslog.severity.code:syslog severitynumber:opentelemetry level.name
        level.intlevel:log4j intlevel:log4j levelvalue:logback levelno:python levelnumber:python at:keywords
        messagetype:apple tags:listed
    """,
    "message": """
        message msg @m shortmessage eventmessage renderedmessage textpayload body text event log @mt messagetemplate
        @message fields.message jsonpayload.message jsonpayload.msg
    """,
    "host": """
        request.clientip clientip client.ip client.address clienthost request.remoteip remoteip remoteaddr
        request.remoteaddr request.remoteaddress remoteaddress req.remoteaddress remotehost httprequest.remoteip
        source.ip source.address sourceip sourceipaddress srcip id.origh fwd ip clientaddr clientaddress http.clientip
        downstreamremoteaddress sourceips forwardedfor xforwardedfor httpxforwardedfor
        hostname:no_request host.name:no_request host.hostname:no_request host:sender winlog.computername
        computername:no_request machinename:no_request event.system.computer computer:no_request @sourcehost
    """,
    "ruser": """
        remoteuser clientusername username user ruser enduser.id userid:request user.name:request
        user.username:request
    """,
    "request": "request requestline httprequest",
    "request_method": """
        request.method requestmethod httpmethod http.request.method http.method req.method httprequest.requestmethod
        clientrequestmethod http.httpmethod method:method verb:method
    """,
    "request_route": """
        request.uri requesturi requestpath request.url request.path req.url url.original url.path http.target http.url
        http.route httprequest.requesturl requesturl clientrequesturi clientrequestpath uri:request url:request
        path:request
    """,
    "request_proto": """
        request.proto requestprotocol serverprotocol request.protocol requestproto httprequest.protocol http.version
        httpversion http.protocol clientrequestprotocol protocol proto
    """,
    "status_code": """
        statuscode downstreamstatus httpstatus httpstatuscode responsestatus responsecode http.response.statuscode
        http.statuscode http.status response.status response.statuscode res.statuscode responsestatus.code
        httprequest.status edgeresponsestatus status:request
    """,
    "response_bytes": """
        bodybytessent bytessent downstreamcontentsize responsebytes responsesize http.response.body.bytes
        http.response.body.size http.response.bytes response.size response.bodysize httprequest.responsesize
        edgeresponsebytes responsebodylen http.length size:request bytes:request contentlength:request
    """,
    "referer": """
        httpreferer httpreferrer requestreferer request.headers.referer req.headers.referer httprequest.referer
        http.request.referrer http.referer http.httprefer clientrequestreferer referer referrer
    """,
    "user_agent": """
        httpuseragent requestuseragent request.headers.useragent req.headers.useragent httprequest.useragent
        useragent.original http.useragent http.httpuseragent clientrequestuseragent useragent agent:request
    """,
}
"""The names of each field, the best name first. A field is a column, except ``request``, which fills three columns, and
``nanoseconds``, which are added to a time in seconds."""

_SIGNS: Final[Mapping[str, str]] = {
    "gelf": "shortmessage",
    "logstash": "@version",
    "nextcloud": "reqid",
    "windows": "providername providerguid leveldisplayname eventrecordid event.system",
    "mongodb": "t.$date",
    "clef": "@t",
    "apple": "machtimestamp",
    "datadog": "ddsource ddtags dd.traceid service",
}

_WITHIN: Final = "@fields."  # Logstash before its version 1.2 wrote all fields as members of this object

FIELDS: Final = tuple(_NAMES)


@dataclass(frozen=True, slots=True)
class NameTable:
    """Names and what they mean."""

    by_path: Mapping[str, Name]
    objects: frozenset[str]  # the paths of objects that have named members
    encoded: bytes  # for the native readers, see `_encode`

    def find_name(self, path: str) -> Name | None:
        """Return the field and rank of a normalized key, or None. A nested key has dots between its parts."""
        return self.by_path.get(path)

    def holds_names(self, path: str) -> bool:
        """Return whether the table has names of members of the object under this normalized key."""
        return path in self.objects


def make_table(names: Mapping[str, str], signs: Mapping[str, str] | None = None) -> NameTable:
    """Return the table of names.

    Args:
        names: for each of `FIELDS`, its normalized names with blanks between them. After a colon, a name has its rule,
            or the notation of a severity.
        signs: for each of `SIGNS`, the normalized names that are signs of it.
    """
    sign_of = {path: sign for sign, paths in (signs or {}).items() for path in paths.split()}
    by_path = {path: Name("", 0, sign=sign) for path, sign in sign_of.items()}
    for field, paths in names.items():
        for rank, written in enumerate(paths.split()):
            path, _, mark = written.partition(":")
            notation = mark if mark in NOTATIONS else NOTATIONS[0]
            rule = "" if mark in NOTATIONS else mark.replace("_", " ")
            by_path[path] = Name(field, rank, rule, notation, sign_of.get(path, ""))
    objects = frozenset(path[:at] for path in by_path for at, byte in enumerate(path) if byte == ".")
    return NameTable(by_path, objects, _encode(by_path, objects))


def _add_fields_of_logstash(names: Mapping[str, str]) -> dict[str, str]:
    """Return the names with those in the object ``@fields`` after them."""
    return {
        field: f"{paths} {' '.join(_WITHIN + path for path in paths.split() if '.' not in path and path[0] != '@')}"
        for field, paths in names.items()
    }


def normalize(key: str) -> str:
    """Return a key as it is written in the table: in lower case, without ``_`` and ``-``."""
    return key.lower().replace("_", "").replace("-", "") if key.isascii() else key


def _encode(by_path: Mapping[str, Name], objects: frozenset[str]) -> bytes:
    """Return the table for the native readers, one line for each path.

    A line has six bytes and then the path: the number of the field from 1, or 0 if the path names no field; the rank;
    the number of the rule; the number of the notation; the number of the sign from 1, or 0; and whether the path also
    names an object that has named members.
    """
    lines = []
    for path in sorted({*by_path, *objects}):
        name = by_path.get(path, Name("", 0))
        number = FIELDS.index(name.field) + 1 if name.field else 0
        sign = SIGNS.index(name.sign) + 1 if name.sign else 0
        codes = (number, name.rank, RULES.index(name.rule), NOTATIONS.index(name.notation), sign, path in objects)
        lines.append(bytes(codes) + path.encode() + b"\n")
    return b"".join(lines)


ALL_NAMES: Final = make_table(_add_fields_of_logstash(_NAMES), _SIGNS)
"""The table of every format whose fields have names."""

TABLE: Final = ALL_NAMES.encoded

find_name: Final = ALL_NAMES.find_name
holds_names: Final = ALL_NAMES.holds_names
