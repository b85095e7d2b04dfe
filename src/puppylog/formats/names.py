"""The meaning of field names: one table, used by every format whose fields have names.

The table has the names that Caddy, Traefik, nginx, Docker, Envoy, Kubernetes, Heroku, journald, ECS, OpenTelemetry,
GELF and Google Cloud use, and the loggers Bunyan, pino, zap, logrus, zerolog, structlog, Serilog and Log4j.

Names are compared without case, ``_`` and ``-``: ``userAgent``, ``User-Agent`` and ``user_agent`` are the same name,
written ``useragent`` here. A dot means nesting: ``request.uri`` is the member ``uri`` of the object ``request``, or a
field whose whole name is ``request.uri``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Name:
    """What a name means."""

    field: str
    rank: int  # if a line has several names of one field, the name with the lowest rank fills it


_NAMES: Final[Mapping[str, str]] = {
    "ts": """
        timeunixnano observedtimeunixnano startutc msec @timestamp timestamp time ts @t t datetime timeiso8601 timelocal
        asctime eventtime starttime realtimetimestamp timemillis requestreceivedtimestamp instant.epochsecond date
    """,
    "severity": "level severity lvl loglevel levelname log.level @l severitytext priority",
    "message": "message msg @m shortmessage renderedmessage textpayload body text event log @mt messagetemplate",
    "host": """
        request.clientip clientip client.ip client.address clienthost request.remoteip remoteip remoteaddr
        request.remoteaddr remoteaddress req.remoteaddress remotehost httprequest.remoteip source.ip source.address
        sourceip srcip fwd ip clientaddr clientaddress http.clientip downstreamremoteaddress sourceips
    """,
    "ruser": "remoteuser userid clientusername username user user.name user.username ruser enduser.id",
    "request": "request requestline httprequest",
    "request_method": """
        request.method requestmethod httpmethod http.request.method http.method req.method httprequest.requestmethod
        method verb
    """,
    "request_route": """
        request.uri requesturi requestpath request.url request.path req.url url.original url.path http.target http.url
        http.route httprequest.requesturl requesturl uri url path
    """,
    "request_proto": """
        request.proto requestprotocol serverprotocol request.protocol requestproto httprequest.protocol http.version
        httpversion protocol proto
    """,
    "status_code": """
        status statuscode downstreamstatus httpstatus httpstatuscode responsestatus responsecode
        http.response.statuscode http.statuscode response.status response.statuscode res.statuscode responsestatus.code
        httprequest.status
    """,
    "response_bytes": """
        bodybytessent bytessent downstreamcontentsize responsebytes responsesize http.response.body.bytes
        http.response.body.size http.response.bytes response.size response.bodysize httprequest.responsesize size bytes
        contentlength
    """,
    "referer": """
        httpreferer httpreferrer requestreferer request.headers.referer req.headers.referer httprequest.referer
        http.request.referrer http.referer referer referrer
    """,
    "user_agent": """
        httpuseragent requestuseragent request.headers.useragent req.headers.useragent httprequest.useragent
        useragent.original http.useragent useragent agent
    """,
}
"""The names of each field, the best name first. A field is a column, except ``request``, which fills three columns."""

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


def make_table(names: Mapping[str, str]) -> NameTable:
    """Return the table of these names: for each of `FIELDS`, its normalized names with blanks between them."""
    by_path = {path: Name(field, rank) for field, paths in names.items() for rank, path in enumerate(paths.split())}
    objects = frozenset(path[:at] for path in by_path for at, byte in enumerate(path) if byte == ".")
    return NameTable(by_path, objects, _encode(by_path, objects))


def normalize(key: str) -> str:
    """Return a key as it is written in the table: in lower case, without ``_`` and ``-``."""
    return key.lower().replace("_", "").replace("-", "") if key.isascii() else key


def _encode(by_path: Mapping[str, Name], objects: frozenset[str]) -> bytes:
    """Return the table for the native readers, one line for each path.

    A line has three bytes and then the path: the number of the field from 1, or 0 if the path names no field; the rank;
    and whether the path also names an object that has named members.
    """
    lines = []
    for path in sorted({*by_path, *objects}):
        name = by_path.get(path)
        codes = (FIELDS.index(name.field) + 1, name.rank) if name is not None else (0, 0)
        lines.append(bytes((*codes, path in objects)) + path.encode() + b"\n")
    return b"".join(lines)


ALL_NAMES: Final = make_table(_NAMES)
"""The table of every format whose fields have names."""

TABLE: Final = ALL_NAMES.encoded

find_name: Final = ALL_NAMES.find_name
holds_names: Final = ALL_NAMES.holds_names
