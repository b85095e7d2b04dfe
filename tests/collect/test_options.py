from dataclasses import FrozenInstanceError, fields

import pytest

from puppylog.collect.options import CollectOptions
from puppylog.formats.registry import find_format
from puppylog.tail.limits import RECORD_WAIT_S


def test_a_run_stops_at_the_end_of_its_files_and_starts_at_their_beginning_unless_told_otherwise() -> None:
    options = CollectOptions(sources=["a.log"], format=find_format("plain"))
    assert not options.watch
    assert not options.from_end
    assert options.record_wait_s == RECORD_WAIT_S


def test_no_option_can_change_during_a_run() -> None:
    options = CollectOptions(sources=["a.log"], format=find_format("plain"))
    for field in fields(options):
        with pytest.raises(FrozenInstanceError):
            setattr(options, field.name, None)
