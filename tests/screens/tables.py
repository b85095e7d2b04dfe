"""Rows of commands whose tables have times at which a store has done something."""

from datetime import timedelta
from typing import Final

import pyarrow as pa

from puppylog.cli import groups, rejects
from puppylog.cli.output import write_rows
from puppylog.cli.rejected_lines import LISTED, open_list_writer
from puppylog.settings import Settings
from screens.traffic import NOON

_ACCESS: Final = "/var/log/nginx/access.log"
_SHOP: Final = "/srv/shop/releases/current/log/production.log"
_NO_REQUEST: Final = "no host at its start"
_NO_JSON: Final = "no JSON object: a string ends without a quote"
_NO_TIME: Final = 'the time "1/Mar/2026" is not a time such as 01/Mar/2026:12:00:00 +0000'


def write_rejects(settings: Settings) -> None:
    """Show rejected lines as ``rejects list`` does."""
    lines = [
        ("web1", _ACCESS, 1_048_576, 90, _NO_REQUEST, "\x16\x03\x01\x05\xa8\x01 not a request"),
        (
            "web1",
            _SHOP,
            77_812,
            62,
            _NO_JSON,
            '{"ts": "2026-03-01T11:58:58Z", "level": "error", "msg": "payment of order 7476 fai',
        ),
        ("web2", _ACCESS, 918, 3, _NO_TIME, '198.51.100.7 - - [1/Mar/2026] "GET /shop/カップ HTTP/1.1" 200 512'),
    ]
    rows = [
        {
            "source": f"file://{host}{path}",
            "file": f"{path}.1" if offset == 1_048_576 else path,
            "line_offset": offset,
            "rejected_at": NOON - timedelta(seconds=ago_s),
            "reason": reason,
            "line": line,
        }
        for host, path, offset, ago_s, reason, line in lines
    ]
    writer = open_list_writer(settings)
    writer.write(pa.RecordBatch.from_pylist(rows, LISTED))
    writer.close()


def write_reject_counts(settings: Settings) -> None:
    """Show numbers of rejected lines as ``rejects count`` does."""
    counts = [(12_304, "web1", _ACCESS, _NO_REQUEST), (31, "web1", _SHOP, _NO_JSON), (1, "web2", _ACCESS, _NO_TIME)]
    rows = [
        {
            "lines": lines,
            "reason": reason,
            "source": f"file://{host}{path}",
            "first_at": NOON - timedelta(hours=lines % 97),
            "last_at": NOON - timedelta(seconds=lines % 97),
        }
        for lines, host, path, reason in counts
    ]
    write_rows(rows, rejects.COUNTED, settings, rejects.COUNT_LAYOUT)


def write_groups(settings: Settings) -> None:
    """Show log groups as ``groups list`` does."""
    rows = [
        {"name": "mail", "streams": 0, "files": 0, "bytes": 0, "moved_at": None},
        {"name": "shop", "streams": 3, "files": 41, "bytes": 48_123_904, "moved_at": NOON - timedelta(seconds=2)},
        {"name": "web", "streams": 1204, "files": 9876, "bytes": 7 << 40, "moved_at": NOON - timedelta(days=2)},
    ]
    schema = pa.schema(
        [
            ("name", pa.string()),
            *((name, pa.int64()) for name in ("streams", "files", "bytes")),
            ("moved_at", pa.timestamp("us", tz="UTC")),
        ]
    )
    write_rows(rows, schema, settings, groups.LAYOUT)
