"""Expressions whose result is at the limits of 64 bits, with their value, which is the same on every store."""

GREATEST = 2**63 - 1
LEAST = f"(-{GREATEST} - 1)"

EDGES: dict[str, str | None] = {
    f"cast('999999999999999' as bigint) * {10**6}": None,
    "cast('999999999999999' as bigint) * 1000": str(999_999_999_999_999_000),
    # A sum is narrowed to 64 bits at its end, so intermediate sums may be larger.
    f"{GREATEST} + 1 - 1": str(GREATEST),
    f"({GREATEST} + 1) - 1": str(GREATEST),
    f"{GREATEST} - (-1)": None,
    f"{GREATEST} + 1.5 > 0": "true",
    LEAST: str(-GREATEST - 1),
    f"-{GREATEST} - 2": None,
    f"-{LEAST}": None,
    f"abs({LEAST})": None,
    f"{LEAST} / (0 - 1)": None,
    f"{LEAST} / (0 - 404) / 1": str((GREATEST + 1) // 404),
    f"{LEAST} % (0 - 1)": "0",
    f"{GREATEST} * 2 / 2": None,
    f"{GREATEST} * 2.0 > 1": "true",
    "cast(9e18 as bigint)": str(9 * 10**18),
    f"cast({2.0**63!r} as bigint)": None,
    f"cast(-{2.0**63!r} as bigint)": str(-GREATEST - 1),
    "cast(-1e300 as bigint)": None,
    "cast(2.5 as bigint)": "2",
    "abs(0 - 404)": "404",
    "-7 / (0 + 2)": "-3",
    "-cast(null as bigint) + 1": None,
}
