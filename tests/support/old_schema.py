"""A PostgreSQL store with version 1 of the schema."""

from importlib.resources.abc import Traversable
from typing import Final

import psycopg
import pytest

from puppylog.stores.postgres.schema import bootstrap as bootstrap_module
from puppylog.stores.postgres.schema import migrations as schema
from puppylog.stores.postgres.schema import roles
from puppylog.stores.postgres.schema.bootstrap import bootstrap

URI: Final = "file:///var/log/test.log"
BYTE_OFFSET: Final = 300
RECORDS: Final = 3

# A function whose arguments have changed since: an upgrade must drop the old one.
_OLD_MOVE: Final = """
CREATE FUNCTION puppylog.move_position(integer, integer, bigint, bigint, integer, text, integer, text, boolean)
RETURNS bigint LANGUAGE sql AS 'SELECT -1::bigint'
"""
_STORED: Final = f"""
INSERT INTO puppylog.log_streams VALUES (nextval('puppylog.ids'), NULL, '{URI}', current_user, now());
INSERT INTO puppylog.log_files
SELECT nextval('puppylog.ids'), id, '/var/log/test.log', 1, 2, 300, 'head', 256, 'marker', {BYTE_OFFSET},
       false, now(), now()
FROM puppylog.log_streams;
INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset)
SELECT now(), stream_id, id, 100 * i FROM puppylog.log_files, generate_series(0, {RECORDS - 1}) AS i;
"""
_files: Final = schema._files


def _list_files(name: str) -> list[Traversable]:
    """Return the files of a folder that version 1 has, with the routines of today that can run without later tables."""
    return _files(name)[:1] if name == "schema" else [file for file in _files(name) if file.name != "retention.sql"]


def make_version_1(url: str, monkeypatch: pytest.MonkeyPatch, *, is_distributed: bool = False) -> None:
    """Install version 1 of the schema in an empty database, with a stream, its file and three records."""
    with monkeypatch.context() as patched:
        patched.setattr(schema, "_files", _list_files)
        # The routines of today need tables of later versions.
        patched.setattr(bootstrap_module, "_QUERIES", {**bootstrap_module._QUERIES, "tend_days": "SELECT"})
        # Today's grants name them, too, and are made wherever another database of the server has Puppylog's roles.
        patched.setattr(roles, "find_roles", lambda _: [])
        patched.setattr(schema, "SCHEMA_VERSION", 1)
        patched.setattr(bootstrap_module, "SCHEMA_VERSION", 1)
        bootstrap(url, is_distributed=is_distributed)
    with psycopg.connect(url) as owner:
        owner.execute(_OLD_MOVE)
        owner.execute(_STORED.encode())
