from pathlib import Path

import pytest

from puppylog.config.contact_tables import list_contact_tables
from puppylog.config.contacts import open_contacts
from puppylog.config.faults import Faults
from puppylog.config.reading import check_configuration, read_configuration
from puppylog.errors import ConfigurationError
from puppylog.notify.contacts.alertmanager import Alertmanager
from puppylog.notify.contacts.email import Email
from puppylog.notify.contacts.exec import Exec
from puppylog.notify.contacts.slack import Slack
from puppylog.notify.registry import CONTACT_TYPES

FILE = """
[[contact]]
name = "ops"
type = "slack"
url_file = "slack-url"

[[contact]]
name = "am"
type = "alertmanager"
url = "http://am:9093"
token_env = "AM_TOKEN"
labels = { team = "shop" }
ca_file = "ca.pem"

[[contact]]
name = "mail"
type = "email"
host = "smtp.example.org"
to = ["a@example.org"]
sender = "b@example.org"

[[contact]]
name = "run"
type = "exec"
command = ["/bin/true"]
timeout = "5s"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    (tmp_path / "slack-url").write_text("https://hooks.example.org/T0/secret\n")
    return path


def list_faults(path: Path) -> list[str]:
    return [fault.message.removeprefix(f"cannot use {path}: ") for fault in check_configuration([path])[1]]


def test_contacts_have_their_secrets_from_files_and_variables(file: Path) -> None:
    contacts = read_configuration([file]).contacts
    assert [contact.type for contact in contacts] == ["slack", "alertmanager", "email", "exec"]
    opened = [contact.open({"AM_TOKEN": "key"}) for contact in contacts]
    assert opened == [
        Slack(name="ops", url="https://hooks.example.org/T0/secret"),
        Alertmanager(
            name="am",
            url="http://am:9093",
            token="key",  # noqa: S106 - of a test
            labels={"team": "shop"},
            ca_file=str(file.parent / "ca.pem"),
        ),
        Email(name="mail", host="smtp.example.org", to=("a@example.org",), sender="b@example.org"),
        Exec(name="run", command=("/bin/true",), timeout_s=5),
    ]


def test_a_secret_that_cannot_be_read_is_a_fault_of_its_contact(file: Path) -> None:
    (file.parent / "slack-url").write_text("\n")
    faults = Faults()
    opened = open_contacts(read_configuration([file]).contacts, {}, faults)
    assert [contact.name for contact in opened] == ["mail", "run"]
    assert [fault.cause for fault in faults.found] == [
        f'[[contact]] "ops": url_file: {file.parent}/slack-url is empty',
        '[[contact]] "am": token_env: the variable AM_TOKEN is not set, or is empty',
    ]
    (file.parent / "slack-url").unlink()
    with pytest.raises(ConfigurationError, match="slack-url: No such file or directory"):
        read_configuration([file]).contacts[0].open({})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            'type = "slack"\nurl = "https://hooks.example.org/secret"',
            (
                "url is a secret, which does not belong in this file; name a file with url_file, "
                "or a variable with url_env"
            ),
        ),
        ('type = "slack"', "url_file or url_env is missing"),
        ('type = "webhook"', "url_file or url_env or url is missing"),
        ('type = "slack"\nurl_file = "a"\nurl_env = "B"', "url_file and url_env cannot be used together"),
        ('type = "slak"\nurl_file = "a"', "unknown type 'slak' (did you mean 'slack'?)"),
        ('type = "slack"\nurl_flie = "a"', "unknown key 'url_flie' (did you mean 'url_file'?)"),
        ('type = "exec"\ncommand = []', "command must be a list of at least one string, not []"),
    ],
)
def test_a_fault_of_a_contact_is_named(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'[[contact]]\nname = "ops"\n{text}\n')
    assert f'[[contact]] "ops": {fault}' in list_faults(path)
    assert "example.org" not in "".join(list_faults(path)), "a secret is not repeated"


def test_a_contact_without_a_type_is_told_the_types(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[[contact]]\nname = "ops"\n')
    (fault,) = list_faults(path)
    assert fault == f'[[contact]] "ops": type is missing; known are {", ".join(CONTACT_TYPES)}'


def test_every_key_of_every_type_has_a_description() -> None:
    for declared in list_contact_tables().values():
        assert (declared.table.__doc__ or "").endswith(".")
        for field in declared.table.__struct_fields__:
            assert declared.table.__annotations__[field].__metadata__[-1].description
