"""The names of time zones that a time stamp may have after its time. ``native/zones.h`` has the same names in C."""

from collections.abc import Mapping
from typing import Final

ZONES: Final[Mapping[str, int]] = {
    "UTC": 0,
    "GMT": 0,
    "UT": 0,
    "Z": 0,
    "CET": 60,
    "CEST": 120,
    "MEZ": 60,
    "MESZ": 120,
    "WET": 0,
    "WEST": 60,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "MSD": 240,
    "TRT": 180,
    "EST": -300,
    "EDT": -240,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
    "NST": -210,
    "NDT": -150,
    "BRT": -180,
    "ART": -180,
    "WAT": 60,
    "CAT": 120,
    "EAT": 180,
    "SAST": 120,
    "IDT": 180,
    "PKT": 300,
    "NPT": 345,
    "ICT": 420,
    "WIB": 420,
    "WITA": 480,
    "WIT": 540,
    "HKT": 480,
    "SGT": 480,
    "PHT": 480,
    "JST": 540,
    "KST": 540,
    "AWST": 480,
    "ACST": 570,
    "ACDT": 630,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
}
"""Abbreviations with one meaning in the logs of today, and their offsets in minutes east of UTC."""

AMBIGUOUS: Final = ("CST", "IST", "BST", "AST", "ADT", "SST", "GST", "WST", "ECT", "AMT", "CLT", "COT")
"""Abbreviations with several meanings, such as central time in America and in China."""

AREAS: Final = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"),
    "Etc",
)
"""What stands before the slash of a name such as Europe/Berlin."""

UNIVERSAL: Final = frozenset({"UTC", "GMT", "UT"})
"""The names after which an offset may follow: UTC+2."""
