"""The logs that the screens show: an access log of two hours, and the log of a shop. The same on each machine."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_BEGIN: Final = NOON - timedelta(hours=2)
_REQUESTS: Final = 600
_MESSAGES: Final = 120

_LONG: Final = "/blog/2026/how-we-measure-latency-and-what-we-learnt-from-it"
_ROUTES: Final = (
    *("/", "/shop/coffee", "/shop/coffee", "/shop/tea", "/shop/カップ", _LONG, "/api/cart", "/api/cart"),
    *("/api/checkout", "/static/site.css", "/", "/shop/coffee", "/favicon.ico"),
)
_AGENTS: Final = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/141.0", "curl/8.5.0", "Googlebot/2.1")


def write_logs(folder: Path) -> None:
    """Write ``access.log`` and ``shop.log``."""
    (folder / "access.log").write_text("".join(f"{line}\n" for line in _access_lines()), encoding="utf-8")
    (folder / "shop.log").write_text("".join(f"{line}\n" for line in _shop_lines()), encoding="utf-8")


def _access_lines() -> Iterator[str]:
    at = _BEGIN
    for number in range(_REQUESTS):
        at += timedelta(seconds=6 + number * number // 7 % 9 + (8 if number // 40 % 3 == 1 else 0))
        step = number * 7919 % 1009  # a number below 1009 that looks random
        route = _ROUTES[step % len(_ROUTES)]
        status = 200
        if 330 <= number < 360 and route.startswith("/api/"):  # the checkout fails for six minutes
            status = 502
        elif step % 17 == 0:
            status = 404
        elif step % 11 == 0:
            status = 302
        method = "POST" if route.startswith("/api/") else "GET"
        yield (
            f"198.51.100.{step % 29} - {'ada' if step % 5 == 0 else '-'} [{at:%d/%b/%Y:%H:%M:%S +0000}] "
            f'"{method} {route} HTTP/1.1" {status} {step * 37} "-" "{_AGENTS[step % 3]}"'
        )
        if number == 400:
            yield "\x16\x03\x01 not a request"


def _shop_lines() -> Iterator[str]:
    for number in range(_MESSAGES):
        step = number * 7919 % 1009
        at = NOON - timedelta(hours=1) + timedelta(seconds=number * 30 - step % 7)
        order, took_ms = 7000 + step, 20 + step * 3
        record: dict[str, object] = {"ts": at.isoformat(), "level": "info", "order": order, "duration_ms": took_ms}
        if number % 10 == 9:
            record |= {"level": "error", "msg": f"payment of order {order} failed: no answer within {took_ms} ms"}
        elif number % 10 == 4:
            record |= {"level": "warning", "msg": f"stock of coffee is low: {step % 7} left"}
        else:
            record |= {"msg": f"order {order} shipped to customer {step * 13}"}
        yield json.dumps(record)
