"""A generator of time stamps: about 100 styles, each written from an instant, with and without zones."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
LONG_MONTHS = [
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    "December",
]
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
LONG_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

# strftime's names depend on the locale, and its %Y has no leading zeros.
FIELDS: dict[str, Callable[[datetime], str]] = {
    "{Y}": lambda at: f"{at.year:04}",
    "{y}": lambda at: f"{at.year % 100:02}",
    "{m}": lambda at: f"{at.month:02}",
    "{m1}": lambda at: f"{at.month}",
    "{d}": lambda at: f"{at.day:02}",
    "{d1}": lambda at: f"{at.day}",
    "{e}": lambda at: f"{at.day:2}",
    "{b}": lambda at: MONTHS[at.month - 1],
    "{BB}": lambda at: MONTHS[at.month - 1].upper(),
    "{bb}": lambda at: MONTHS[at.month - 1].lower(),
    "{B}": lambda at: LONG_MONTHS[at.month - 1],
    "{a}": lambda at: DAYS[at.weekday()],
    "{A}": lambda at: LONG_DAYS[at.weekday()],
    "{H}": lambda at: f"{at.hour:02}",
    "{H1}": lambda at: f"{at.hour}",
    "{He}": lambda at: f"{at.hour:2}",
    "{I}": lambda at: f"{(at.hour + 11) % 12 + 1}",
    "{II}": lambda at: f"{(at.hour + 11) % 12 + 1:02}",
    "{p}": lambda at: "AM" if at.hour < 12 else "PM",
    "{pp}": lambda at: "am" if at.hour < 12 else "pm",
    "{M}": lambda at: f"{at.minute:02}",
    "{S}": lambda at: f"{at.second:02}",
    "{M1}": lambda at: f"{at.minute}",
    "{S1}": lambda at: f"{at.second}",
    "{ms}": lambda at: f"{at.microsecond // 1000}",
    "{f3}": lambda at: f"{at.microsecond // 1000:03}",
    "{f6}": lambda at: f"{at.microsecond:06}",
    "{f7}": lambda at: f"{at.microsecond:06}7",
    "{f9}": lambda at: f"{at.microsecond:06}789",
}


@dataclass(frozen=True)
class Style:
    """A form of time stamps."""

    form: str  # with FIELDS, and {z} where a zone may stand
    digits: int = 0  # of the fraction: 0 to 6; the instant is cut to them
    has_year: bool = True
    has_seconds: bool = True
    is_refused: bool = False  # such a stamp must never be read
    needs_large_day: bool = False  # the order of day and month is known only if the day is above 12

    def takes(self, zone: str) -> bool:
        """Return whether a program would write the zone after such a stamp: AMZ is no zone, but a word."""
        return not (self.form.endswith(("{p}", "{pp}")) and zone == "Z")

    def cut(self, at: datetime) -> datetime:
        """Return the instant without what the form does not write."""
        step = 10 ** (6 - self.digits)
        at = at.replace(microsecond=at.microsecond // step * step)
        return at if self.has_seconds else at.replace(second=0, microsecond=0)

    def write(self, at: datetime, zone: str = "") -> str:
        """Return the stamp of a local time, followed by the zone."""
        text = self.form if "{z}" in self.form else self.form + "{z}"
        for name, write in FIELDS.items():
            text = text.replace(name, write(at))
        return text.replace("{z}", zone)


def _styles(*forms: str, **more: bool | int) -> list[Style]:
    styles = []
    for form in forms:
        digits = int(more.pop("digits", 0)) or (3 if "{f3}" in form else 6 if "{f" in form else 0)
        styles.append(Style(form, digits=digits, **{key: bool(value) for key, value in more.items()}))
    return styles


STYLES: list[Style] = [
    *_styles(
        "{Y}-{m}-{d}T{H}:{M}:{S}",
        "{Y}-{m}-{d}T{H}:{M}:{S}.{f3}",
        "{Y}-{m}-{d}T{H}:{M}:{S},{f3}",
        "{Y}-{m}-{d}T{H}:{M}:{S}.{f6}",
        "{Y}-{m}-{d}T{H}:{M}:{S}.{f7}",
        "{Y}-{m}-{d}T{H}:{M}:{S}.{f9}",
        "{Y}-{m}-{d}t{H}:{M}:{S}.{f9}",
        "{Y}-{m}-{d} {H}:{M}:{S}",
        "{Y}-{m}-{d} {H}:{M}:{S}.{f3}",
        "{Y}-{m}-{d} {H}:{M}:{S},{f3}",
        "{Y}-{m}-{d} {H}:{M}:{S}:{f3}",
        "{Y}-{m}-{d} {H}:{M}:{S}.{f6}",
        "{Y}-{m}-{d} {H}:{M}:{S},{f6}",
        "{Y}-{m}-{d}  {H}:{M}:{S}",
        "{Y}-{m}-{d}\t{H}:{M}:{S}",
        "{Y}-{m}-{d}_{H}:{M}:{S}",
        "{Y}-{m}-{d}_{H}-{M}-{S}",
        "{Y}-{m}-{d}-{H}:{M}:{S}",
        "{Y}-{m}-{d}:{H}:{M}:{S}",
        "{Y}-{m}-{d}|{H}:{M}:{S}",
        "{Y}-{m}-{d}][{H}:{M}:{S}",
        "{Y}-{m}-{d}, {H}:{M}:{S}",
        "{Y}-{m}-{d},{H}:{M}:{S}",
        "{Y}-{m}-{d} at {H}:{M}:{S}",
        "{Y}-{m}-{d} {I}:{M}:{S} {p}",
        "{Y}-{m1}-{d1} {H1}:{M}:{S}",
        "{Y}-{b}-{d} {H}:{M}:{S}",
        "{Y}-{b}-{d} {H}:{M}:{S}.{f6}",
        "{Y} {b} {d} {H}:{M}:{S}",
        "{Y} {b} {e} {H}:{M}:{S}.{f3}",
        "{Y}/{m}/{d} {H}:{M}:{S}",
        "{Y}/{m}/{d} {H}:{M}:{S}.{f6}",
        "{Y}/{m}/{d} {H}:{M}:{S},{f3}",
        "{Y}/{m}/{d}T{H}:{M}:{S}",
        "{Y}/{m}/{d}-{H}:{M}:{S}.{f6}",
        "{Y}/{m1}/{d1} {H1}:{M}:{S}",
        "{Y}/{b}/{d} {H}:{M}:{S}",
        "{Y}.{m}.{d} {H}:{M}:{S}",
        "{Y}.{m}.{d} {H}:{M}:{S}.{f6}",
        "{Y}:{m}:{d}-{H}:{M}:{S}",
        "{Y}:{m}:{d} {H}:{M}:{S}",
        "{Y}{m}{d}T{H}{M}{S}",
        "{Y}{m}{d}T{H}{M}{S}.{f3}",
        "{Y}{m}{d}-{H}{M}{S}",
        "{Y}{m}{d} {H}:{M}:{S}",
        "{Y}{m}{d} {H}:{M}:{S}.{f3}",
        "{Y}{m}{d}-{H}:{M}:{S}:{f3}",
        "{Y}{m}{d} {H}{M}{S}",
        "{Y}{m}{d}{H}{M}{S}",
        "{Y}{m}{d}{H}{M}{S}.{f3}",
        "{y}{m}{d} {H}:{M}:{S}",
        "{y}{m}{d} {He}:{M}:{S}",
        "{y}{m}{d} {H}{M}{S}",
    ),
    *_styles(
        "{d}/{b}/{Y}:{H}:{M}:{S}",
        "{d}/{b}/{Y}:{H}:{M}:{S}.{f3}",
        "{d}/{b}/{Y} {H}:{M}:{S}",
        "{d}/{b}/{Y} {H}:{M}:{S}.{f6}",
        "{d1}/{b}/{Y} {H}:{M}:{S}",
        "{d}-{b}-{Y} {H}:{M}:{S}",
        "{d}-{b}-{Y} {H}:{M}:{S}.{f3}",
        "{d}-{BB}-{Y} {H}:{M}:{S}",
        "{d}-{bb}-{Y} {H}:{M}:{S}",
        "{d}-{b}-{y} {H}:{M}:{S}",
        "{d}-{BB}-{y} {II}.{M}.{S}.{f6} {p}",
        "{d1}-{b}-{Y} {H}:{M}:{S}",
        "{d} {b} {Y} {H}:{M}:{S}",
        "{d} {b} {Y} {H}:{M}:{S}.{f3}",
        "{d} {b} {Y} {H}:{M}:{S},{f3}",
        "{d1} {b} {Y} {H}:{M}:{S}",
        "{d1} {B} {Y} {H}:{M}:{S}",
        "{d1} {b}, {Y} {I}:{M}:{S} {p}",
        "{a}, {d} {b} {Y} {H}:{M}:{S}",
        "{a}, {d1} {b} {Y} {H}:{M}:{S}",
        "{a} {d} {b} {Y} {I}:{M}:{S} {p}",
        "{A}, {d}-{b}-{y} {H}:{M}:{S}",
        "{a}, {d}-{b}-{Y} {H}:{M}:{S}",
        "{b} {d} {Y} {H}:{M}:{S}",
        "{b} {e} {Y} {H}:{M}:{S}.{f3}",
        "{b} {d1}, {Y} {I}:{M}:{S} {p}",
        "{b} {d1}, {Y} {I}:{M}:{S}\u202f{p}",
        "{b} {d1}, {Y}, {I}:{M}:{S} {pp}",
        "{B} {d1}, {Y} {H}:{M}:{S}",
        "{B} {d1}, {Y} at {I}:{M}:{S} {p}",
        "{A}, {B} {d1}, {Y} {I}:{M}:{S} {p}",
        "{b}-{d}-{Y} {H}:{M}:{S}",
        "{b}/{d}/{Y} {H}:{M}:{S}",
        "{b}-{d}-{y} {H}:{M}:{S}",
        "{a} {b} {e} {Y} {H}:{M}:{S}",
        "{a} {b} {d} {H}:{M}:{S}{z} {Y}",
        "{a} {b} {e} {H}:{M}:{S}.{f6}{z} {Y}",
        "{a} {Y}-{m}-{d} {H}:{M}:{S}",
        "{d}.{m}.{Y} {H}:{M}:{S}",
        "{d}.{m}.{Y} {H}:{M}:{S},{f3}",
        "{d}.{m}.{Y}, {H}:{M}:{S}",
        "{d1}.{m1}.{Y} {H1}:{M}:{S}",
    ),
    *_styles(
        "{b} {d} {H}:{M}:{S}",
        "{b} {e} {H}:{M}:{S}",
        "{b} {e} {H}:{M}:{S}.{f6}",
        "{b} {d1} {H}:{M}:{S}",
        "{a} {b} {d} {H}:{M}:{S}",
        "{a} {b} {d} {H}:{M}:{S}.{f3}",
        "{d} {b} {H}:{M}:{S}.{f3}",
        "{d} {b} {H}:{M}:{S}",
        "{m}-{d} {H}:{M}:{S}.{f3}",
        "{m}{d} {H}:{M}:{S}.{f6}",
        has_year=False,
    ),
    *_styles("{m}.{d} {H}:{M}:{S}", "{d}.{m} {H}:{M}:{S}", has_year=False, needs_large_day=True),
    *_styles("{Y}{m}{d}-{H1}:{M}:{S}:{ms}", digits=3),
    *_styles("{Y}{m}{d}-{H1}:{M1}:{S1}:{ms}", digits=3),
    *_styles(
        "{m}/{d}/{Y} {H}:{M}:{S}",
        "{m}/{d}/{Y} {II}:{M}:{S} {p}",
        "{m1}/{d1}/{Y}, {I}:{M}:{S} {p}",
        "{m1}/{d1}/{Y}, {I}:{M}:{S}\u202f{p}",
        "{m}/{d}/{y} {H}:{M}:{S}:{f3}",
        "{m}/{d}/{y},{H}:{M}:{S}",
        "{m}-{d}-{Y} {H}:{M}:{S}",
        "{d}/{m}/{Y} {H}:{M}:{S}",
        "{d}/{m}/{Y} {H}:{M}:{S}.{f3}",
        "{d}/{m}/{Y}, {H}:{M}:{S}",
        "{d}-{m}-{Y} {H}:{M}:{S},{f3}",
        needs_large_day=True,
    ),
    *_styles(
        "{Y}-{m}-{d} {H}:{M}",
        "{Y}-{m}-{d}T{H}:{M}",
        "{d}/{b}/{Y} {H}:{M}",
        "{d}.{m}.{Y} {H}:{M}",
        has_seconds=False,
    ),
    *_styles(
        "{H}:{M}:{S}",
        "{H}:{M}:{S}.{f3}",
        "{Y}-{m}-{d}",
        "{b} {d} {Y}",
        "{Y}{m}{d}",
        "{m}/{d} {H}:{M}",
        "{b} {d} {H}:{M}",
        "{Y}-{m}-{d} {H}",
        "{Y}-{m}-{d}T{H}:{M}:{S}.{f3}.{f3}",
        "[    1.234567]",
        "1.{f6}",
        is_refused=True,
    ),
]

ZONES: dict[str, timedelta | None] = {
    "": None,
    "Z": timedelta(0),
    " UTC": timedelta(0),
    " GMT": timedelta(0),
    "+00:00": timedelta(0),
    "+01:00": timedelta(hours=1),
    "-05:30": -timedelta(hours=5, minutes=30),
    "+0545": timedelta(hours=5, minutes=45),
    "-0800": -timedelta(hours=8),
    "+02": timedelta(hours=2),
    " +0000": timedelta(0),
    " +0100": timedelta(hours=1),
    " -03:00": -timedelta(hours=3),
    " CET": timedelta(hours=1),
    " CEST": timedelta(hours=2),
    " PDT": -timedelta(hours=7),
    " EST": -timedelta(hours=5),
    " JST": timedelta(hours=9),
    " ACST": timedelta(hours=9, minutes=30),
    " UTC+2": timedelta(hours=2),
    " GMT+0100 (Central European Standard Time)": timedelta(hours=1),
    " +0200 (CEST)": timedelta(hours=2),
    "+01:00[Europe/Berlin]": timedelta(hours=1),
    " (UTC)": timedelta(0),
    " Europe/Berlin": timedelta(hours=1),
    " America/Argentina/Buenos_Aires": -timedelta(hours=3),
}
"""Zones as they follow a time, and their offsets; None: the time is local."""

NAMED_ZONES = [" CST", " IST", " BST", " Europe/Nowhere"]
"""Zones that a stamp does not settle: the reader gives their names back."""
