"""What the names mean that logs give to their fields: one table for every format that has names.

It holds the habits of Caddy, Traefik, nginx, Docker, Envoy, Kubernetes, Heroku, journald, ECS, OpenTelemetry, GELF,
Google Cloud, and of the loggers Bunyan, pino, zap, logrus, zerolog, structlog, Serilog and Log4j.

Case does not matter, nor do ``_`` and ``-``: ``userAgent`` is ``User-Agent`` is ``user_agent``, written ``useragent``
here. A dot leads into an object: ``request.uri`` is the uri in the object ``request``, or a field with just that name.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Name:
    field: str
    rank: int  # of several names for one field, the one of least rank counts


_NAMES: Final[Mapping[str, str]] = {
    "ts": """
        startutc msec @timestamp timestamp time ts @t t datetime timeiso8601 timelocal asctime eventtime starttime
        timeunixnano observedtimeunixnano realtimetimestamp timemillis requestreceivedtimestamp instant.epochsecond date
    """,
    "severity": "level severity lvl loglevel levelname log.level @l severitytext priority",
    "message": "message msg @m shortmessage renderedmessage textpayload body text event log @mt messagetemplate",
    "host": """
        request.clientip clientip client.ip client.address clienthost request.remoteip remoteip remoteaddr
        request.remoteaddr remoteaddress req.remoteaddress remotehost httprequest.remoteip source.ip source.address
        sourceip srcip fwd ip clientaddr clientaddress http.clientip downstreamremoteaddress sourceips
    """,
    "ruser": "remoteuser userid clientusername username user user.name user.username ruser",
    "request": "request requestline httprequest",
    "request_method": """
        request.method requestmethod httpmethod http.request.method http.method req.method httprequest.requestmethod
        method verb
    """,
    "request_route": """
        request.uri requesturi requestpath request.url request.path req.url url.original url.path http.target http.url
        httprequest.requesturl requesturl uri url path
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
        http.response.bytes response.size response.bodysize httprequest.responsesize size bytes contentlength
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
"""The names of each field, the best first. The fields are columns, but for a request that is still in one piece."""

FIELDS: Final = tuple(_NAMES)

_BY_PATH: Final = {
    path: Name(field, rank) for field, paths in _NAMES.items() for rank, path in enumerate(paths.split())
}
_OBJECTS: Final = frozenset(path[:at] for path in _BY_PATH for at, byte in enumerate(path) if byte == ".")


def normalize(key: str) -> str:
    """Return a key as the table has it."""
    return key.lower().replace("_", "").replace("-", "") if key.isascii() else key


def find_name(path: str) -> Name | None:
    """Return what a folded key means; keys of objects in objects are joined by dots."""
    return _BY_PATH.get(path)


def holds_names(path: str) -> bool:
    """Return whether an object under this folded key is looked into."""
    return path in _OBJECTS


def _write_table(paths: Iterable[str]) -> bytes:
    lines = []
    for path in sorted(paths):
        name = _BY_PATH.get(path)
        codes = (FIELDS.index(name.field) + 1, name.rank) if name is not None else (0, 0)
        lines.append(bytes((*codes, holds_names(path))) + path.encode() + b"\n")
    return b"".join(lines)


TABLE: Final = _write_table({*_BY_PATH, *_OBJECTS})
"""The same for the native readers: of each path its field from 1 (0 for none), rank, whether it is an object's too."""
