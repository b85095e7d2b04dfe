"""Labels of a stream: names with short texts, such as ``namespace=shop``, by which people find its records."""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from puppylog.errors import UsageError

Labels: TypeAlias = Mapping[str, str]

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,126}")
_MAX_VALUE_LENGTH: Final = 1024  # characters; Kubernetes allows 63, names of images are longer
_MOST: Final = 64  # of one stream


def check_labels(labels: Labels) -> dict[str, str]:
    """Return the labels, sorted by their names.

    Raises:
        UsageError: a name or a value cannot be that of a label, or there are too many.
    """
    if len(labels) > _MOST:
        raise UsageError("use", f"{len(labels)} labels", f"a stream has at most {_MOST}")
    for name, value in labels.items():
        if _NAME.fullmatch(name) is None:
            cause = "a name has letters, digits, _ . and -, and begins with a letter or _"
            raise UsageError("use", f"label {name!r}", cause)
        if not value or len(value) > _MAX_VALUE_LENGTH or not value.isprintable():
            cause = f"its value must be printable text of 1 to {_MAX_VALUE_LENGTH:,} characters"
            raise UsageError("use", f"label {name!r}", cause)
    return dict(sorted(labels.items()))


def keep_valid(labels: Labels) -> dict[str, str]:
    """Return those of the labels that `check_labels` accepts. A label of a container must not end a collector."""
    kept: dict[str, str] = {}
    for name, value in labels.items():
        try:
            kept |= check_labels({name: value})
        except UsageError:
            continue
    return dict(list(kept.items())[:_MOST])


def parse_label(written: str) -> tuple[str, str]:
    """Return name and value of a label that is written as ``env=prod``.

    >>> parse_label("env=prod")
    ('env', 'prod')

    Raises:
        UsageError: ``written`` is not NAME=VALUE, or cannot be a label.
    """
    name, equals, value = written.partition("=")
    if not equals:
        raise UsageError("use", f"label {written!r}", "it has no value", advice="write NAME=VALUE, such as env=prod")
    check_labels({name: value})
    return name, value


def format_labels(labels: Labels) -> str | None:
    """Return labels as users write them, one after another; None without labels.

    >>> format_labels({"env": "prod", "pod": "cart"})
    'env=prod pod=cart'
    """
    return " ".join(f"{name}={value}" for name, value in labels.items()) or None
