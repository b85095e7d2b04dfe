"""Stores of several servers, of which a given number holds records."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol
from urllib.parse import urlsplit

from bench.postgres.server import Server, new_name
from bench.processes import BenchBroken

_COUNT = "SELECT count(*) FROM puppylog.log_records"
_STREAMS = """
SELECT array_agg(ARRAY[stream_id, lines])
FROM (SELECT stream_id, count(*) AS lines FROM puppylog.log_records GROUP BY 1) AS streams
"""
_PORT_OF_STREAM = """
SELECT nodeport FROM pg_dist_placement JOIN pg_dist_node USING (groupid)
WHERE shardid = get_shard_id_for_distribution_column('puppylog.log_records', {stream_id}) LIMIT 1
"""


class Cluster(Protocol):
    """Servers that together make one store."""

    name: str
    version: str
    is_distributed: bool
    front: Server  # the server that collectors connect to

    @property
    def max_nodes(self) -> int:
        """The largest number of servers that can hold records."""

    def nodes(self, count: int) -> Sequence[Server]:
        """Return the servers that hold records, if ``count`` servers do."""

    def database(self, count: int) -> AbstractContextManager[str]:
        """Create a database on all servers, ready for ``bootstrap``; yield its name, and drop it."""

    def rows_per_node(self, database: str, count: int) -> list[int]:
        """Return the number of records on each of ``nodes(count)``."""


class OneServer:
    """A single server with TimescaleDB or plain PostgreSQL."""

    is_distributed = False

    def __init__(self, urls: Sequence[str]) -> None:
        self.front = Server(urls[0])
        has_timescale = self.front.value("SELECT current_setting('shared_preload_libraries') ~ 'timescaledb'")
        self.name = "TimescaleDB, one server" if has_timescale else "PostgreSQL, one server"
        self.version = _version(self.front, "timescaledb")

    @property
    def max_nodes(self) -> int:
        return 1

    def nodes(self, count: int) -> Sequence[Server]:
        return [self.front][:count]

    def database(self, count: int) -> AbstractContextManager[str]:
        _check(count, self.max_nodes, self.name)
        return self.front.database()

    def rows_per_node(self, database: str, count: int) -> list[int]:
        return [int(node.value(_COUNT, database=database)) for node in self.nodes(count)]


class Citus:
    """A coordinator and workers. Workers hold the records, and the coordinator does if there are too few workers."""

    name = "Citus"
    is_distributed = True

    def __init__(self, urls: Sequence[str]) -> None:
        """Take the URL of the coordinator, then those of workers, with hosts by which they reach each other."""
        self.front, *self._workers = map(Server, urls)
        self.version = _version(self.front, "citus")

    @property
    def max_nodes(self) -> int:
        return len(self._workers) + 1

    def nodes(self, count: int) -> Sequence[Server]:
        return [*self._workers, self.front][:count]

    @contextmanager
    def database(self, count: int) -> Iterator[str]:
        _check(count, self.max_nodes, self.name)
        workers = [server for server in self.nodes(count) if server is not self.front]
        servers = [*workers, self.front]
        with _databases(servers) as name:
            for server in servers:
                server.run("CREATE EXTENSION citus", database=name)
                server.run("CREATE EXTENSION IF NOT EXISTS citus_columnar", database=name)
            self.front.run(f"SELECT citus_set_coordinator_host({_address(self.front)})", database=name)
            for worker in workers:
                self.front.run(f"SELECT citus_add_node({_address(worker)})", database=name)
            if count > len(workers):
                keep = f"SELECT citus_set_node_property({_address(self.front)}, 'shouldhaveshards', true)"
                self.front.run(keep, database=name)
            yield name

    def rows_per_node(self, database: str, count: int) -> list[int]:
        rows = dict.fromkeys([_port(server) for server in self.nodes(count)], 0)
        streams = self.front.value(_STREAMS, database=database)
        for stream_id, lines in streams or []:
            rows[int(self.front.value(_PORT_OF_STREAM.format(stream_id=stream_id), database=database))] += lines
        return list(rows.values())


class MultiNode:
    """TimescaleDB 2.5 to 2.13: an access node, which holds no records, and data nodes."""

    name = "TimescaleDB multi-node"
    is_distributed = True

    def __init__(self, urls: Sequence[str]) -> None:
        """Take the URL of the access node, then those of data nodes, with hosts that the access node can reach."""
        self.front, *self._data_nodes = map(Server, urls)
        self.version = _version(self.front, "timescaledb")

    @property
    def max_nodes(self) -> int:
        return len(self._data_nodes)

    def nodes(self, count: int) -> Sequence[Server]:
        return self._data_nodes[:count]

    @contextmanager
    def database(self, count: int) -> Iterator[str]:
        _check(count, self.max_nodes, self.name)
        with _databases([self.front]) as name:
            self.front.run("CREATE EXTENSION IF NOT EXISTS timescaledb", database=name)
            try:
                for node in self.nodes(count):
                    host, port = _host(node), _port(node)
                    add = f"SELECT add_data_node('node_{port}', host => '{host}', port => {port}, database => '{name}')"
                    self.front.run(add, database=name)
                yield name
            finally:
                self.front.drop_database(name)
                for node in self.nodes(count):
                    node.drop_database(name)

    def rows_per_node(self, database: str, count: int) -> list[int]:
        return [int(node.value(_COUNT, database=database)) for node in self.nodes(count)]


@contextmanager
def _databases(servers: Sequence[Server]) -> Iterator[str]:
    """Create a database of one name on several servers; yield the name, and drop them, from the last to the first."""
    name = new_name()
    try:
        for server in servers:
            server.run(f"CREATE DATABASE {name} TEMPLATE template0")
        yield name
    finally:
        for server in reversed(servers):
            server.drop_database(name)


def _version(server: Server, extension: str) -> str:
    offered = server.value(f"SELECT max(default_version) FROM pg_available_extensions WHERE name = '{extension}'")
    return f"PostgreSQL {server.version.split()[0]}" + (f", {extension} {offered}" if offered else "")


def _address(server: Server) -> str:
    return f"'{_host(server)}', {_port(server)}"


def _host(server: Server) -> str:
    host = urlsplit(server.url).hostname
    if host is None:
        raise BenchBroken("servers of one store reach each other by TCP: name them by host and port")
    return host


def _port(server: Server) -> int:
    return urlsplit(server.url).port or 5432


def _check(count: int, most: int, name: str) -> None:
    if not 1 <= count <= most:
        raise BenchBroken(f"{name}: {count} nodes were requested, but the URLs name at most {most}")
