"""The receivers and interfaces of the server: each module has the routes of one."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from starlette.routing import BaseRoute

from puppylog.serve.context import Context
from puppylog.serve.endpoints import (
    elasticsearch,
    elasticsearch_probes,
    journal,
    lines,
    loki,
    otlp,
    readiness,
    sessions,
    watching,
)
from puppylog.serve.loki import routes as loki_reading
from puppylog.serve.page import routes as page
from puppylog.serve.read import routes as read
from puppylog.serve.store import routes as store

Routes: TypeAlias = Callable[[Context], Sequence[BaseRoute]]

ALL: Final[tuple[Routes, ...]] = (
    readiness.routes,
    sessions.routes,
    page.routes,
    store.routes,
    watching.routes,
    lines.routes,
    otlp.routes,
    loki.routes,
    loki_reading.routes,  # after the receiver: it refuses all other paths below /loki
    journal.routes,
    elasticsearch.routes,
    read.routes,
    elasticsearch_probes.routes,  # last: its names of indices match many paths
)
"""What makes the routes of each. The first route that matches a request counts."""
