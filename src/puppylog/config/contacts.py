"""Contacts of the files. Their secrets are read from other files or from variables, when the contacts are opened."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from puppylog.config.contact_tables import FILE, VARIABLE, ContactTable
from puppylog.config.faults import Faults, Location, error_at
from puppylog.config.table import Table
from puppylog.notify.contact import Contact

_MAX_SECRET_BYTES: Final = 64 << 10


@dataclasses.dataclass(frozen=True, slots=True)
class ContactConfig:
    """A contact of a file, without its secrets."""

    name: str
    location: Location
    contact: type[Contact]
    values: Mapping[str, Any]  # of the fields that are not secrets
    secret_files: Mapping[str, Path]  # by field; absolute
    secret_variables: Mapping[str, str]  # by field

    @property
    def type(self) -> str:
        """The type of the contact, such as ``slack``."""
        return self.contact.type

    def open(self, environ: Mapping[str, str]) -> Contact:
        """Return the contact with its secrets.

        Args:
            environ: the environment.

        Raises:
            ConfigurationError: a file cannot be read or is empty, or a variable is not set.
        """
        secrets = {field: self._read_file(field, path) for field, path in self.secret_files.items()}
        for field, variable in self.secret_variables.items():
            secrets[field] = environ.get(variable, "").strip()
            if not secrets[field]:
                raise error_at(self.location, f"{field}{VARIABLE}: the variable {variable} is not set, or is empty")
        make: Any = self.contact
        contact: Contact = make(name=self.name, **self.values, **secrets)
        return contact

    def _read_file(self, field: str, path: Path) -> str:
        key = f"{field}{FILE}"
        try:
            with path.open("rb") as file:
                secret = file.read(_MAX_SECRET_BYTES).decode().strip()
        except OSError as error:
            raise error_at(self.location, f"{key}: cannot read {path}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise error_at(self.location, f"{key}: cannot read {path}: it is not UTF-8 text") from None
        if not secret:
            raise error_at(self.location, f"{key}: {path} is empty")
        return secret


def find_written_secret(entry: Mapping[str, Any], declared: ContactTable) -> str | None:
    """Return the field of a secret that is written in the file itself; None if there is none."""
    return next((field for field in declared.secrets if field in entry and field not in declared.fields), None)


def read_contact(declared: ContactTable, table: Table, location: Location, faults: Faults) -> ContactConfig | None:
    """Return the contact of a table. Return None after its faults were noted."""
    before = len(faults.found)
    directory = location.file.absolute().parent
    files: dict[str, Path] = {}
    variables: dict[str, str] = {}
    values = {field: getattr(table, key) for key, field in declared.fields.items()}
    for field, is_needed in declared.secrets.items():
        keys = [f"{field}{FILE}", f"{field}{VARIABLE}", *([field] if field in declared.fields else [])]
        given = [key for key in keys if getattr(table, key) is not None]
        if len(given) > 1:
            faults.add(location, f"{given[0]} and {given[1]} cannot be used together")
        if not given and is_needed:
            faults.add(location, f"{' or '.join(keys)} is missing")
        if getattr(table, f"{field}{FILE}") is not None:
            files[field] = directory / getattr(table, f"{field}{FILE}")
        if getattr(table, f"{field}{VARIABLE}") is not None:
            variables[field] = getattr(table, f"{field}{VARIABLE}")
        if values.get(field, "") is None:
            del values[field]  # a secret that is read from elsewhere, or has a default
    for field, value in values.items():
        if field.endswith(FILE) and value:  # such as certificates
            values[field] = str(directory / value)
    if len(faults.found) > before:
        return None
    name: str = getattr(table, "name")  # noqa: B009 - the class is made at run time
    return ContactConfig(name, location, declared.contact, values, files, variables)


def open_contacts(contacts: tuple[ContactConfig, ...], environ: Mapping[str, str], faults: Faults) -> list[Contact]:
    """Return the contacts with their secrets, without those whose secret cannot be read; their faults are noted."""
    opened = []
    for contact in contacts:
        with faults.collecting():
            opened.append(contact.open(environ))
    return opened
