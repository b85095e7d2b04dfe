"""The operators on numbers, and numbers as Loki writes them."""

import math
import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def compare(sign: str, left: float, right: float) -> bool:
    """Return whether a comparison holds."""
    return _COMPARE[sign](left, right)


def _divide(left: float, right: float) -> float:
    return math.nan if right == 0 else left / right


def _modulo(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:  # a root of a negative number, or a division by zero
        return math.nan


OPERATORS: Final[dict[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}
"""The arithmetic operators. A division by zero gives NaN, as in Loki."""


def quantile(values: Iterable[tuple[float, int]], share: float) -> float:
    """Return a quantile, interpolated between the nearest two values.

    Args:
        values: pairs of a value, and how often it is there.
        share: from 0 to 1.
    """
    ordered = sorted(values)
    count = sum(times for _, times in ordered)
    if not count or math.isnan(share):
        return math.nan
    if not 0 <= share <= 1:
        return -math.inf if share < 0 else math.inf
    rank = share * (count - 1)
    low = math.floor(rank)
    weight = rank - low
    return _at(ordered, low) * (1 - weight) + _at(ordered, min(low + 1, count - 1)) * weight


def _at(ordered: Iterable[tuple[float, int]], index: int) -> float:
    """Return the value at an index of the values, each taken as often as it is there."""
    for value, times in ordered:
        index -= times
        if index < 0:
            return value
    raise IndexError(index)


def write_value(value: float) -> str:
    """Return a number as Loki's answers have it: never with an exponent.

    >>> write_value(2.0), write_value(1e21), write_value(0.1), write_value(float("-inf"))
    ('2', '1000000000000000000000', '0.1', '-Inf')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else format(Decimal(repr(value)), "f")
