"""The translation of DuckDB's errors, by their class or by the first words of their text."""

import duckdb
import pytest

from puppylog.errors import PuppylogError, QueryError, StoreDamaged, StoreError, StoreFull
from puppylog.stores.duckdb.engine.failures import BrokenError, OutOfMemory, translate, translate_streamed


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.IOException("IO Error: Could not write file: No space left on device"), StoreFull),
        (duckdb.TransactionException("TransactionContext Error: Failed to commit: Disk quota exceeded"), StoreFull),
        (duckdb.FatalException("FATAL Error: Failed to create checkpoint: File too large"), StoreFull),
        (duckdb.IOException("IO Error: Could not set lock on file"), StoreError),
        (duckdb.IOException("Corrupt database file: computed checksum 1"), StoreDamaged),
        (duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate"), OutOfMemory),
        (duckdb.FatalException("FATAL Error: database has been invalidated"), BrokenError),
        (duckdb.TransactionException("Cannot execute in read-only mode!"), QueryError),
        (duckdb.InterruptException("INTERRUPT Error: Interrupted!"), QueryError),
        (duckdb.BinderException("Binder Error: no such column"), QueryError),
    ],
)
def test_an_error_is_translated_by_its_class(error: duckdb.Error, kind: type[PuppylogError]) -> None:
    assert type(translate(error)) is kind


@pytest.mark.parametrize("words", ["No space left on device", "disk full", "Disk quota exceeded", "File too large"])
def test_a_log_line_that_speaks_of_a_full_disk_is_no_full_disk(words: str) -> None:
    with duckdb.connect() as connection, pytest.raises(duckdb.ConversionException) as refused:
        connection.execute(f"SELECT CAST('{words}' AS INT)")
    told = translate(refused.value)
    assert (type(told), words in told.cause) == (QueryError, True)


@pytest.mark.parametrize("words", ["Out of Memory Error", "INTERRUPT Error", "Corrupt database file"])
def test_the_words_of_a_log_line_in_a_streamed_answer_are_only_shown(words: str) -> None:
    text = f"Conversion Error: Could not convert string '{words}' to INT32"
    assert translate_streamed(OSError(text)).parts == ("run", "this SQL", text, "")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Out of Memory Error: failed to allocate", OutOfMemory),
        ("INTERRUPT Error: Interrupted!", QueryError),
        ("Corrupt database file: computed checksum 1", StoreDamaged),
    ],
)
def test_a_streamed_error_is_translated_by_its_first_words(text: str, kind: type[PuppylogError]) -> None:
    assert type(translate_streamed(OSError(text))) is kind


def test_a_full_disk_is_told_in_plain_words() -> None:
    said = (
        'TransactionContext Error: Failed to commit: Could not write file "/store/records.duckdb.wal": '
        "No space left on device"
    )
    told = translate(duckdb.TransactionException(said))
    assert isinstance(told, StoreFull)
    assert told.message == "cannot write to the store: no space left on device"
