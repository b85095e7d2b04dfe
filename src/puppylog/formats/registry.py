"""The formats by the names that people write."""

from puppylog.errors import UsageError
from puppylog.formats.access.access_log import AccessLog
from puppylog.formats.access.response import Variant
from puppylog.formats.base import Format

_FORMATS: dict[str, Format] = {variant.value: AccessLog(variant) for variant in Variant}

FORMAT_NAMES = tuple(_FORMATS)


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        UsageError: there is none.
    """
    found = _FORMATS.get(name)
    if found is None:
        raise UsageError(f"cannot use format {name!r}: it must be one of {', '.join(FORMAT_NAMES)}")
    return found
