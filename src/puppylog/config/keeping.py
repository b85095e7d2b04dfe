"""The silences and the retention of the files."""

from puppylog.config.faults import Faults, Location
from puppylog.config.tables import RetentionTable, SilenceTable
from puppylog.errors import PuppylogError
from puppylog.model.retention import Retention
from puppylog.model.silence import Silence, check_silence


def read_silence(table: SilenceTable, location: Location, faults: Faults) -> Silence | None:
    """Return the silence of a table. Return None after its fault was noted."""
    silence = Silence(
        table.name,
        table.alert,
        table.segment,
        table.starts,
        table.ends,
        table.author,
        table.comment,
        is_declared=True,
    )
    try:
        check_silence(silence)
    except PuppylogError as error:
        faults.add(location, error.cause or error.message)
        return None
    return silence


def read_retention(table: RetentionTable, location: Location, faults: Faults) -> Retention | None:
    """Return the retention of a table. Return None after its fault was noted.

    A relative path is relative to the directory of the file.
    """
    archive = None if table.archive is None else str(location.file.absolute().parent / table.archive)
    try:
        return Retention(table.keep, tuple(table.groups.items()), table.max_size, archive)
    except PuppylogError as error:
        faults.add(location, error.message)
        return None
