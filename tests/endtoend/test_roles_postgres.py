"""The rights of logins that are members of the writer's or the reader's role, and of logins without a role."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from support.commands import Puppylog
from support.inprocess import InProcessPuppylog
from support.postgres import PostgresServer
from support.refusals import assert_refused
from support.timescaledb import timescaledb_server

pytestmark = pytest.mark.sampled

LINE = '10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "-"\n'
LOGINS = {
    "first_writer": "puppylog_writer",
    "second_writer": "puppylog_writer",
    "reader": "puppylog_reader",
    "stranger": None,
}


@pytest.fixture(scope="module", params=["postgresql", "timescaledb"])
def server(request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """A server of its own, because roles belong to a whole server."""
    with PostgresServer() if request.param == "postgresql" else timescaledb_server() as server:
        yield server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def database(server: PostgresServer, home: Path) -> str:
    """A store with two writers' streams, of ten lines each, and a metric with an alert."""
    name = server.create_database()
    owner = Puppylog(server.url(name), home)
    assert owner("bootstrap", "--roles").code == 0
    with server.connect(name) as admin:
        for login, role in LOGINS.items():
            admin.execute(f"CREATE ROLE {login} LOGIN".encode())
            if role is not None:
                admin.execute(f"GRANT {role} TO {login}".encode())
    for login in ("first_writer", "second_writer"):
        log = home / f"{login}.log"
        log.write_text("".join(LINE.format(number=n) for n in range(10)))
        ran = Puppylog(url_of(server, name, login), home)("collector", "-s", str(log), "--group", "web")
        assert ran.code == 0, ran
    assert (
        owner("monitor", "metrics", "create", "--default", "original").code == 0
    )  # after the roles were granted their rights
    return name


def url_of(server: PostgresServer, database: str, login: str) -> str:
    return server.url(database).replace("//postgres@", f"//{login}@")


# In the statements, {own} and {other} stand for a stream, file and position of the first and of the second writer.
MOVE = (
    "SELECT puppylog.move_position("
    "{{{0}[stream]}}, {{{0}[file]}}, {{{0}[at]}}, {{{0}[at]}} + 1, 0, '', 0, '', false, '')"
)
OPEN_FILE = (
    "SELECT puppylog.open_files(ARRAY[{{{0}[stream]}}], ARRAY['/a'], ARRAY[1::bigint], ARRAY[1::bigint], "
    "ARRAY[0::bigint], '', '')"
)
REPORT = (
    "SELECT puppylog.report_streams(ARRAY[{{{0}[stream]}}], ARRAY[0], NULL, NULL, ARRAY[0], ARRAY[0], ARRAY[0], "
    "ARRAY['json'], NULL, ARRAY[false], ARRAY[0], ARRAY[false])"
)
OPEN_STREAM = "SELECT puppylog.open_streams(ARRAY['{{{0}[uri]}}'], NULL)"

NOTIFYING = [
    "SELECT puppylog.settle_notifications(ARRAY[1], ARRAY['sent'], ARRAY[now()], ARRAY[1], NULL, NULL)",
    "SELECT puppylog.set_silence('a', '*', '*', now(), now() + interval '1 hour', 'ada', '', false)",
    "SELECT puppylog.end_silence('a', now())",
    "SELECT puppylog.acknowledge_alert(1, NULL, 'ada', '')",
    "SELECT puppylog.clear_notifications()",
]

WRITER_MAY = [
    "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) VALUES (now(), 1, 1, 1)",
    "INSERT INTO puppylog.rejected_lines (stream_id, file_id, line_offset, reason, line) VALUES (1, 1, 1, '', '')",
    "INSERT INTO puppylog.invalidations VALUES (1, now(), now())",
    "SELECT * FROM puppylog.log_files, puppylog.log_streams, puppylog.log_groups",
    "SELECT * FROM puppylog.installation, puppylog.schema_versions",
    MOVE.format("own"),
    OPEN_FILE.format("own"),
    OPEN_STREAM.format("own"),
    "SELECT puppylog.open_streams(ARRAY['file:///new'], 'new group')",
    REPORT.format("own"),
    "SELECT puppylog.add_requests(ARRAY['a'], ARRAY['{{}}'], 3600)",
    "SELECT * FROM puppylog.find_requests(ARRAY['a'], 3600)",
    "SELECT puppylog.clear_requests()",
    "SELECT * FROM puppylog.find_tokens(ARRAY['a'])",
    "SELECT * FROM puppylog.list_tokens()",
    "SELECT puppylog.note_token_uses(ARRAY[1])",
    *NOTIFYING,
]
DEFINING_TOKENS = [
    "SELECT puppylog.create_token('a', 'a', 'admin', NULL)",
    "SELECT puppylog.revoke_token('a')",
    "SELECT hash FROM puppylog.access_tokens",
    "SELECT * FROM puppylog.access_tokens",
    "UPDATE puppylog.access_tokens SET scope = 'admin'",
    "INSERT INTO puppylog.access_tokens SELECT",
    "DELETE FROM puppylog.access_tokens",
    "COPY puppylog.access_tokens TO STDOUT",
]
WRITER_MAY_NOT = [
    *DEFINING_TOKENS,
    "SELECT * FROM puppylog.received_requests",
    "DELETE FROM puppylog.received_requests",
    "SELECT * FROM puppylog.log_records",
    "SELECT * FROM puppylog.rejected_lines",
    "SELECT * FROM metrics.total_traffic",
    "SELECT * FROM puppylog.metrics",
    "SELECT * FROM puppylog.alert_history",
    "SELECT * FROM puppylog.stream_reports",
    "SELECT * FROM puppylog.notifications",
    "SELECT * FROM puppylog.alert_evidence",
    "UPDATE puppylog.notifications SET state = 'sent'",
    "DELETE FROM puppylog.silences",
    "INSERT INTO puppylog.acknowledgements SELECT",
    "UPDATE puppylog.store_ids SET id = 'x'",
    "DELETE FROM puppylog.stream_reports",
    "COPY puppylog.log_records TO STDOUT",
    "UPDATE puppylog.log_records SET host = 'x'",
    "DELETE FROM puppylog.log_records",
    "TRUNCATE puppylog.log_records",
    "DELETE FROM puppylog.rejected_lines",
    "DELETE FROM puppylog.invalidations",
    "UPDATE puppylog.log_files SET byte_offset = 0",
    "DELETE FROM puppylog.log_files",
    "INSERT INTO puppylog.log_streams VALUES (99, NULL, 'x', 'x', now())",
    "UPDATE puppylog.log_streams SET writer = current_user",
    "DELETE FROM puppylog.log_groups",
    "INSERT INTO puppylog.schema_versions VALUES (99)",
    "UPDATE puppylog.installation SET drop_after_s = 1",
    "DELETE FROM puppylog.metrics",
    "UPDATE puppylog.alerts SET level = 1e9",
    "INSERT INTO puppylog.alert_history SELECT",
    "SELECT nextval('puppylog.ids')",
    MOVE.format("other"),
    OPEN_FILE.format("other"),
    OPEN_STREAM.format("other"),
    "CREATE TABLE puppylog.mine (a int)",
    "CREATE TABLE metrics.mine (a int)",
    "CREATE OR REPLACE FUNCTION puppylog.is_writer(writer name) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
    "DROP TABLE puppylog.log_records",
    "ALTER TABLE puppylog.log_records DISABLE TRIGGER ALL",
    "ALTER TABLE puppylog.log_records OWNER TO first_writer",
    "SET ROLE postgres",
]
READER_MAY = [
    "SELECT * FROM puppylog.list_tokens()",
    "SELECT * FROM puppylog.received_requests",
    "SELECT * FROM puppylog.log_records",
    "SELECT * FROM puppylog.rejected_lines",
    "SELECT * FROM puppylog.log_files, puppylog.log_streams, puppylog.log_groups",
    "SELECT * FROM puppylog.metrics, puppylog.alerts",
    "SELECT * FROM puppylog.stream_reports",
    "SELECT * FROM puppylog.alert_history, puppylog.alert_states, puppylog.heartbeat",
    "SELECT * FROM puppylog.notifications, puppylog.alert_evidence, puppylog.store_ids",
    "SELECT * FROM puppylog.silences, puppylog.acknowledgements",
    "SELECT * FROM metrics.total_traffic",
    "SELECT * FROM metrics.total_traffic_per_route",
]
READER_MAY_NOT = [
    *DEFINING_TOKENS,
    "SELECT * FROM puppylog.find_tokens(ARRAY['a'])",
    "SELECT puppylog.note_token_uses(ARRAY[1])",
    "SELECT puppylog.add_requests(ARRAY['a'], ARRAY['{{}}'], 3600)",
    "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) VALUES (now(), 1, 1, 1)",
    "INSERT INTO puppylog.invalidations VALUES (1, now(), now())",
    "UPDATE puppylog.log_records SET host = 'x'",
    "DELETE FROM puppylog.log_records",
    "DELETE FROM puppylog.metrics",
    "DELETE FROM puppylog.alert_history",
    "UPDATE puppylog.notifications SET state = 'sent'",
    *NOTIFYING,
    "UPDATE puppylog.log_files SET byte_offset = 0",
    MOVE.format("own"),
    OPEN_FILE.format("own"),
    OPEN_STREAM.format("own"),
    "SELECT puppylog.open_streams(ARRAY['file:///new'], NULL)",
    REPORT.format("own"),
    "CREATE TABLE puppylog.mine (a int)",
    "CREATE TABLE metrics.mine (a int)",
    "DROP VIEW metrics.total_traffic",
    "SET ROLE puppylog_writer",
]
STRANGER_MAY_NOT = [
    "SELECT * FROM puppylog.log_records",
    "SELECT * FROM puppylog.schema_versions",
    "SELECT * FROM metrics.total_traffic",
    "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) VALUES (now(), 1, 1, 1)",
    "SELECT puppylog.open_streams(ARRAY['file:///new'], NULL)",
    *DEFINING_TOKENS,
    "SELECT * FROM puppylog.list_tokens()",
    "SELECT * FROM puppylog.find_tokens(ARRAY['a'])",
]

ALLOWED: dict[str, list[str]] = {"first_writer": WRITER_MAY, "reader": READER_MAY, "stranger": []}
REFUSED = {"first_writer": WRITER_MAY_NOT, "reader": READER_MAY_NOT, "stranger": STRANGER_MAY_NOT}


def read_stream(server: PostgresServer, database: str, login: str) -> dict[str, object]:
    sql = """
        SELECT s.id AS stream, f.id AS file, f.byte_offset AS at, s.source_uri AS uri
        FROM puppylog.log_streams AS s JOIN puppylog.log_files AS f ON f.stream_id = s.id
        WHERE s.writer = %s AND NOT f.finished ORDER BY f.id LIMIT 1
    """
    with psycopg.connect(server.url(database), row_factory=psycopg.rows.dict_row) as admin:
        (found,) = admin.execute(sql, [login]).fetchall()
    return found


@pytest.mark.parametrize("login", ALLOWED)
def test_a_role_may_run_the_statements_that_it_is_for_and_no_others(
    server: PostgresServer, database: str, login: str
) -> None:
    streams = {
        "own": read_stream(server, database, "first_writer"),
        "other": read_stream(server, database, "second_writer"),
    }
    expected = {**dict.fromkeys(ALLOWED[login], "allowed"), **dict.fromkeys(REFUSED[login], "refused")}
    with psycopg.connect(url_of(server, database, login)) as connection:
        found = {sql: run(connection, sql.format(**streams)) for sql in expected}
    assert found == expected


def run(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> str:
    """Run the statement and roll it back; return whether it was allowed or refused."""
    try:
        connection.execute(sql.encode())
    except errors.InsufficientPrivilege:
        return "refused"
    finally:
        connection.rollback()
    return "allowed"


def test_no_routine_is_public_and_routines_with_the_owners_rights_set_their_search_path(
    server: PostgresServer, database: str
) -> None:
    sql = """
        SELECT oid::regprocedure::text FROM pg_proc
        WHERE pronamespace = 'puppylog'::regnamespace
          AND (has_function_privilege('public', oid, 'EXECUTE')
               OR (prosecdef AND NOT coalesce(proconfig::text, '') LIKE '%search_path=pg_catalog, puppylog, pg_temp%'))
    """
    with server.connect(database) as admin:
        assert admin.execute(sql.encode()).fetchall() == []


def test_commands_of_each_role(
    server: PostgresServer, database: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second, reader, stranger = (
        InProcessPuppylog(Puppylog(url_of(server, database, login), home), capsys) for login in LOGINS
    )
    collect = ("collector", "-s", str(home / "first_writer.log"))
    define = ("monitor", "metrics", "create", "-i", "mine", "-s", "count", "-p", "*", "--period", "10")
    look = ("monitor", "metrics", "list", "-o", "csv")
    search = ("logs", "-o", "jsonl")

    assert first(*collect).code == 0
    assert_refused(second(*collect), 78, "first_writer.log belongs to role first_writer, not to second_writer")
    assert_refused(reader(*collect), 78, "permission denied")
    assert_refused(stranger(*collect), 78, "role 'stranger' may not read it", "puppylog_writer")

    for puppylog in (first, reader):
        assert_refused(puppylog(*define), 78, "permission denied")
        assert_refused(puppylog("bootstrap"), 78, "permission denied")
    assert_refused(stranger(*define), 78, "role 'stranger' may not read it")

    token = ("tokens", "create", "web1", "--scope", "admin")
    for puppylog in (first, reader):
        refused = puppylog(*token)
        assert refused.out == ""
        assert_refused(refused, 78, "permission denied for function create_token")
        assert puppylog("tokens", "list").code == 0
    assert_refused(stranger("tokens", "list"), 78, "role 'stranger' may not read it")
    assert_refused(reader("sql", "SELECT hash FROM puppylog.access_tokens"), 2, "permission denied")

    assert reader(*look).out.count("\n") == 4
    assert reader(*search).out.count("\n") == 20
    assert_refused(first(*search), 78, "permission denied for table log_records")
    for arguments in (look, search, ("bootstrap",), ("doctor",)):
        assert stranger(*arguments).code == 78


def test_a_metric_that_is_defined_later_can_be_read_too(server: PostgresServer, database: str, home: Path) -> None:
    owner, reader = (Puppylog(url_of(server, database, login), home) for login in ("postgres", "reader"))
    created = owner("monitor", "metrics", "create", "-i", "later", "-s", "count", "-p", "*", "--period", "60")
    try:
        assert created.code == 0, created
        ran = reader("monitor", "metrics", "get", "later", "-o", "csv", "--from", "2026-03-01", "--to", "2026-03-02")
        assert ran.code == 0, ran
        assert ran.out.splitlines()[-1].endswith(",20"), ran
    finally:
        owner("monitor", "metrics", "delete", "later")
