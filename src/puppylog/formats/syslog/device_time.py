"""The time that devices of Fortinet write into their messages. ``native/syslog_devices.c`` does the same in C."""

import re

from puppylog.formats import clock

_DATE_AND_TIME = re.compile(r"date=(.{10}) time=(.{8})(?= |\Z)", re.ASCII)
_TZ = re.compile(r' tz="?([+-][0-9]{2}:?[0-9]{2})(?=[ "]|\Z)')


def read_device_time(message: str) -> clock.Stamp | None:
    """Return the time of FortiGate's ``date=… time=…`` at the start of a message, in its zone ``tz=``; or None."""
    found = _DATE_AND_TIME.match(message)
    if found is None:
        return None
    at = message.find(" tz=", found.end())
    zone = _TZ.match(message, at) if at >= 0 else None
    try:
        return clock.parse_iso(f"{found[1]}T{found[2]}{zone[1] if zone is not None else ''}")
    except clock.OutOfRange:
        return None
