"""What a permanent process is to do: the settings and the configuration files, read at its start and at SIGHUP."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

from puppylog.collect.options import SourceOptions
from puppylog.config.contacts import open_contacts
from puppylog.config.faults import Faults
from puppylog.config.reading import read_configuration
from puppylog.config.sources import find_source_zone, make_options
from puppylog.config.values import Configuration, SourceConfig
from puppylog.notify.contact import Contact
from puppylog.settings import Settings


@dataclass(frozen=True, slots=True)
class _Key:
    """All that the options of a source are made of: two sources with equal keys are the same."""

    source: SourceConfig
    zone: ZoneInfo
    format_text: bytes  # of the server's configuration that has the format


@dataclass(frozen=True, slots=True)
class Declared:
    """What the files declare, ready to be used."""

    settings: Settings
    configuration: Configuration = Configuration()  # noqa: RUF009 - frozen
    sources: Sequence[SourceOptions] = ()
    contacts: Sequence[Contact] = ()
    _by_key: Mapping[_Key, SourceOptions] = field(default_factory=dict)


def read_declared(
    paths: Sequence[Path], settings: Settings, environ: Mapping[str, str], before: Declared | None = None
) -> Declared:
    """Return what configuration files declare, with the secrets of its contacts.

    Args:
        paths: the files.
        settings: of the same files.
        environ: the environment, for the secrets of contacts and the zone of this machine.
        before: what was declared before. Sources that have not changed keep their options, as the same objects.

    Raises:
        ConfigurationError: a file is wrong, or a secret cannot be read.
        UsageError: the format of a source cannot be read.
    """
    configuration = read_configuration(paths)
    faults = Faults()
    contacts = open_contacts(configuration.contacts, environ, faults)
    faults.check()
    known = before._by_key if before is not None else {}  # noqa: SLF001 - of the same class
    by_key: dict[_Key, SourceOptions] = {}
    for source in configuration.sources:
        key = _make_key(source, settings, environ)
        by_key[key] = known.get(key) or make_options(source, settings.data_zone, environ)
    return Declared(settings, configuration, tuple(by_key.values()), contacts, by_key)


def _make_key(source: SourceConfig, settings: Settings, environ: Mapping[str, str]) -> _Key:
    text = b""
    if source.format_file is not None:
        with suppress(OSError):  # making the options says why it cannot be read
            text = source.format_file.read_bytes()
    return _Key(source, find_source_zone(source, settings.data_zone, environ), text)
