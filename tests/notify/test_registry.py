"""Every type of contact is a frozen dataclass with what the protocol demands, and hides its secrets."""

import dataclasses
from dataclasses import MISSING
from typing import Any

import pytest

from puppylog.notify.contact import Contact, secret_fields
from puppylog.notify.registry import CONTACT_TYPES

SECRETS = {
    "webhook": {"url": False, "token": True},
    "alertmanager": {"url": False, "token": True},
    "slack": {"url": True},
    "discord": {"url": True},
    "teams": {"url": True},
    "ntfy": {"url": False, "token": True},
    "pagerduty": {"routing_key": True},
    "email": {"password": True},
    "exec": {},
    "apprise": {"url": True},
}


def test_there_are_ten_types_of_contacts_with_these_secrets() -> None:
    assert {name: dict(secret_fields(kind)) for name, kind in CONTACT_TYPES.items()} == SECRETS


@pytest.mark.parametrize("kind", CONTACT_TYPES.values(), ids=CONTACT_TYPES.keys())
def test_a_contact_is_a_frozen_dataclass_with_a_name(kind: type[Contact]) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert dataclasses.fields(kind)[0].name == "name"
    assert kind.__doc__


@pytest.mark.parametrize("kind", CONTACT_TYPES.values(), ids=CONTACT_TYPES.keys())
def test_no_secret_is_in_the_repr(kind: Any) -> None:
    values = {
        one.name: ("hunter2",) if "tuple" in str(one.type) else f"{one.name} hunter2"
        for one in dataclasses.fields(kind)
        if (one.default is MISSING and one.default_factory is MISSING) or one.name in secret_fields(kind)
    }
    shown = repr(kind(**values))
    assert [name for name in secret_fields(kind) if f"{name} hunter2" in shown] == []
