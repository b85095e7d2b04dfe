"""``puppylog contacts``: the contacts of the configuration file, and a message to try one."""

import os
import time
import urllib.request
from typing import Final

import click
import pyarrow as pa
from click.shell_completion import CompletionItem

from puppylog.cli.complete import matching
from puppylog.cli.given_options import find_config_files
from puppylog.cli.messages import tell
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import write_rows
from puppylog.cli.tables import Layout
from puppylog.config.contacts import ContactConfig
from puppylog.config.reading import check_configuration, read_configuration
from puppylog.errors import ConfigurationError, NotFound, PuppylogError
from puppylog.notify.contact import Delivery
from puppylog.notify.trial import make_test_message
from puppylog.settings import Settings
from puppylog.stores.connect import name_store

_SEND_WITHIN_S: Final = 20.0

_SCHEMA: Final = pa.schema(
    [
        ("name", pa.string()),
        ("type", pa.string()),
        ("state", pa.string()),
        ("alerts", pa.list_(pa.string())),
        ("file", pa.string()),
    ]
)


def _join(names: object) -> str:
    """Return the names of alerts as people read them."""
    return ", ".join(map(str, names)) if isinstance(names, list) else ""


_LAYOUT: Final = Layout(
    expendable=("file", "alerts"), paths=("file",), wrapped=("state", "alerts"), shown={"alerts": _join}
)


@click.group(epilog=examples("puppylog contacts list", "puppylog contacts test ops"))
def contacts() -> None:
    """List the contacts of the configuration file, and try one.

    A contact is told when the state of an alert changes: a channel, an address, a service or a command.
    """


def _complete_contacts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    del parameter
    try:
        configuration, _ = check_configuration(find_config_files(ctx))
    except PuppylogError:
        return []
    return matching([contact.name for contact in configuration.contacts], incomplete)


@contacts.command("list", epilog=examples("puppylog contacts list -o json"))
@output_options
@store_options
@pass_settings
@click.pass_context
def list_(ctx: click.Context, settings: Settings) -> None:
    """List the contacts, whether their secrets can be read, and the alerts of the file that name them."""
    configuration = read_configuration(find_config_files(ctx))
    if not configuration.contacts:
        tell(settings, "no contacts yet; declare one as [[contact]] in the configuration file")
    rows = [
        {
            "name": contact.name,
            "type": contact.type,
            "state": _state_of(contact),
            "alerts": [alert.name for alert in configuration.alerts if contact.name in alert.table.contacts],
            "file": str(contact.location.file),
        }
        for contact in configuration.contacts
    ]
    write_rows(rows, _SCHEMA, settings, _LAYOUT)


@contacts.command(
    "test", epilog=examples("puppylog contacts test ops", "puppylog contacts test on-call --resolved -c config.toml")
)
@click.argument("name", shell_complete=_complete_contacts)
@click.option("--resolved", "is_resolved", is_flag=True, help="Say that the alert of the test no longer fires.")
@store_options
@pass_settings
@click.pass_context
def test(ctx: click.Context, settings: Settings, *, name: str, is_resolved: bool) -> None:
    """Send a message that says that it is a test, and show what the receiver answered.

    The exit code is 1 if the receiver did not take the message, and 78 if the contact's secret cannot be read.
    """
    configuration = read_configuration(find_config_files(ctx))
    found = next((contact for contact in configuration.contacts if contact.name == name), None)
    if found is None:
        raise NotFound("find", f"contact {name!r}", advice="see 'puppylog contacts list'")
    contact = found.open(os.environ)
    now = settings.clock()
    message = make_test_message(name, now, store=name_store(settings.store.url), is_resolved=is_resolved)
    delivery = Delivery(
        time.monotonic() + _SEND_WITHIN_S, now=now, proxies=urllib.request.getproxies(), environ=os.environ
    )
    answer = contact.send(message, delivery)
    tell(settings, f"contact {name} ({contact.type}) took the message and answered: {answer}")


def _state_of(contact: ContactConfig) -> str:
    """Return ``ok``, or why the contact cannot be used."""
    try:
        contact.open(os.environ)
    except ConfigurationError as error:
        return error.cause or error.message
    return "ok"
