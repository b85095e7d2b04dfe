"""Alerts in the store: a row each. What they are in and what they have signalled is the work of the routines."""

from puppylog.model.alert import Alert
from puppylog.stores.catalog import get_found, refuse_other
from puppylog.stores.postgres.definitions.metrics import get_metric
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import alert_of, values_of_alert

_QUERIES = load_queries("puppylog.stores.postgres", "alerts.sql")


def lock_definitions(session: Session) -> None:
    """Let nobody else define or delete metrics or alerts until the transaction ends."""
    session.run(_QUERIES["lock_definitions"])


def list_alerts(session: Session) -> list[Alert]:
    """In the order of their names."""
    return [alert_of(row) for row in session.rows(_QUERIES["list_alerts"])]


def create_alert(session: Session, alert: Alert) -> bool:
    """Make the alert, within the caller's transaction; return whether it is new.

    Raises:
        AlreadyExists: the name belongs to another definition.
        NotFound: there is no such metric.
    """
    metric = get_metric(session, alert.metric)
    found = next((known for known in list_alerts(session) if known.name == alert.name), None)
    if found is not None:
        refuse_other(alert, is_same=found == alert)
        return False
    session.run(_QUERIES["insert_alert"], values_of_alert(alert, metric.id))
    return True


def delete_alert(session: Session, name: str) -> None:
    """Forget the alert, its states and its history.

    Raises:
        NotFound: there is none of that name.
    """
    get_found(session.run(_QUERIES["delete_alert"], {"name": name}) or None, "alert", name)
