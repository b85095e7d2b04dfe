from dataclasses import FrozenInstanceError, fields

import pytest

from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.formats.registry import find_format
from puppylog.tail.limits import RECORD_WAIT_S


def test_by_default_a_run_reads_files_from_their_start_and_stops_at_their_end() -> None:
    source = SourceOptions(paths=["a.log"], format=find_format("plain"))
    assert not CollectOptions(sources=[source]).watch
    assert not source.from_end
    assert source.record_wait_s == RECORD_WAIT_S


def test_no_option_can_change_during_a_run() -> None:
    options = CollectOptions(sources=[SourceOptions(paths=["a.log"], format=find_format("plain"))])
    for field in fields(options):
        with pytest.raises(FrozenInstanceError):
            setattr(options, field.name, None)
