"""The types of contacts by the names that a configuration file has for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from puppylog.notify.contact import Contact
from puppylog.notify.contacts.alertmanager import Alertmanager
from puppylog.notify.contacts.apprise import Apprise
from puppylog.notify.contacts.discord import Discord
from puppylog.notify.contacts.email import Email
from puppylog.notify.contacts.exec import Exec
from puppylog.notify.contacts.ntfy import Ntfy
from puppylog.notify.contacts.pagerduty import PagerDuty
from puppylog.notify.contacts.slack import Slack
from puppylog.notify.contacts.teams import Teams
from puppylog.notify.contacts.webhook import Webhook

_TYPES: Final[tuple[type[Contact], ...]] = (
    Webhook,
    Alertmanager,
    Slack,
    Discord,
    Teams,
    Ntfy,
    PagerDuty,
    Email,
    Exec,
    Apprise,
)

CONTACT_TYPES: Final[Mapping[str, type[Contact]]] = MappingProxyType({kind.type: kind for kind in _TYPES})
"""The dataclass of each type of contact. Its fields are the keys of ``[[contact]]``, without ``type``."""
