"""The logs of a shop behind nginx, the same at each call: one route is slow, and one client causes the 5xx.

The pictures of the page, and the count of clicks that a person needs in it, are made of these lines.
"""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

SLOW_ROUTE: Final = "/shop/checkout"
BAD_CLIENT: Final = "203.0.113.77"

LOG_FORMAT: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" rt=$request_time'
)
"""The ``log_format`` of nginx that the access log has."""

_ROUTES: Final = (
    *("/", "/", "/", "/shop", "/shop", "/shop/tea", "/shop/tea", "/shop/coffee", "/shop/pastéis", "/shop/search"),
    *("/api/cart", "/api/cart", "/static/site.css", "/static/site.js", "/blog/how-we-roast", SLOW_ROUTE),
)
_AGENTS: Final = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/139.0",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
)
_PRIME: Final = 7919


def iter_access_lines(begin: datetime, end: datetime, requests: int) -> Iterator[str]:
    """Yield lines of nginx's access log, between two instants, more of them at some times than at others."""
    length_s = (end - begin).total_seconds()
    for number in range(requests):
        share = (number + 0.5) / requests
        # More of them at some times than at others.
        share += 0.035 * math.sin(4 * math.pi * share) + 0.002 * math.sin(60 * math.pi * share)
        at = begin + timedelta(seconds=length_s * min(max(share, 0.0), 1.0))
        yield _access_line(at, number, share)


def _access_line(at: datetime, number: int, share: float) -> str:
    step = number * _PRIME % 10_007  # looks random, and is the same at each call
    route = _ROUTES[step % len(_ROUTES)]
    client = f"198.51.100.{step % 61}"
    method, status = "POST" if route in {SLOW_ROUTE, "/api/cart"} else "GET", 200
    took_s = 0.004 + step % 43 / 1000
    if route == SLOW_ROUTE:
        took_s = 1.1 + step % 97 / 40
    elif route == "/shop/search":
        took_s = 0.15 + step % 31 / 200
    if step % 37 == 0 or (0.62 < share < 0.71 and step % 5 == 0):  # all the time, and more of it for a while
        client, method, route, status = BAD_CLIENT, "POST", "/api/stock/import", 502 if step % 3 else 503
        took_s = 0.9 + step % 11 / 20
    elif step % 29 == 0:
        status = 404
    elif step % 17 == 0:
        status = 304
    size = 0 if status == 304 else 180 + step * 37 % 48_000
    user = "ada" if step % 53 == 0 else "-"
    return (
        f'{client} - {user} [{at:%d/%b/%Y:%H:%M:%S +0000}] "{method} {route} HTTP/1.1" {status} {size} '
        f'"-" "{_AGENTS[step % len(_AGENTS)]}" rt={took_s:.3f}'
    )


BROKEN_LINES: Final = (
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    '198.51.100.9 - - [not a time] "GET / HTTP/1.1" 200 612 "-" "curl/8.5.0" rt=0.004',
    '198.51.100.9 - - [27/Nov/2026:10:05:00 +0000] "GET /shop HTTP/1.1" 2x0 612 "-" "curl/8.5.0" rt=0.004',
    '198.51.100.12 - - [27/Nov/2026:10:06:00 +0000] "GET /sh',
)
"""Lines that do not fit the access log: of a TLS client, with a broken time, with a broken status, and cut."""


def iter_shop_lines(begin: datetime, end: datetime, messages: int) -> Iterator[str]:
    """Yield JSON lines of the shop's own log, evenly between two instants."""
    for number in range(messages):
        step = number * _PRIME % 10_007
        at = begin + (end - begin) * ((number + 0.5) / messages)
        order, took_ms = 7000 + step % 900, 20 + step % 350
        record: dict[str, object] = {
            "ts": at.isoformat(timespec="milliseconds"),
            "level": "info",
            "logger": "shop.cart",
        }
        if number % 23 == 9:
            record |= {"level": "error", "logger": "shop.pay", "order": order}
            record |= {"msg": f"payment of order {order} failed: no answer from pay.example.net within 5000 ms"}
        elif number % 11 == 4:
            record |= {"level": "warning", "logger": "shop.stock", "msg": f"stock of coffee is low: {step % 7} left"}
        elif number % 5 == 2:
            record |= {"level": "debug", "msg": f"cart {order} has {step % 9} items", "duration_ms": took_ms}
        else:
            record |= {"msg": f"order {order} shipped to customer {step % 500 * 13}", "duration_ms": took_ms}
        yield json.dumps(record)
