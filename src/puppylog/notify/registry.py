"""The types of contacts by the names that a configuration file has for them."""

from collections.abc import Mapping
from typing import Final

from puppylog.notify.contact import Contact

CONTACT_TYPES: Final[Mapping[str, type[Contact]]] = {}
"""The dataclass of each type of contact. Its fields are the keys of ``[[contact]]``, without ``type``."""
