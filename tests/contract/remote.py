"""Which contract tests run on the remote stores, on every run and only if a variable asks for them.

Behind the server is a store that all tests test. So what can only go wrong on the way is tested on every run: rows and
errors in both directions, claims, and positions.
"""

import os
from typing import Final

VARIABLE: Final = "PUPPYLOG_TEST_REMOTE"

IS_WHOLE: Final = bool(os.environ.get(VARIABLE))
"""Whether the whole suite runs on the remote stores. It takes ten minutes."""

MISSING: Final = f"NOT TESTED: most of the suite on stores behind a server; set {VARIABLE}=1 to run it, ten minutes"

ALWAYS: Final = frozenset(
    {
        "test_a_batch_is_not_stored_twice",
        "test_an_answer_may_be_left_unread",
        "test_a_record_comes_back_as_it_was_written",
        "test_a_replay_turns_lines_that_fit_into_records_and_keeps_the_others_rejected",
        "test_a_collector_goes_on_behind_the_position_in_the_new_format",
        "test_a_deleted_stream_is_gone_with_its_rows_and_files",
        "test_a_replacement_is_refused_if_another_position_is_stored",
        "test_a_replacement_may_be_committed_again_and_stores_no_row_twice",
        "test_a_stream_is_followed_by_one_collector_at_a_time",
        "test_a_users_sql_that_does_not_read_is_refused_in_one_line",
        "test_another_thread_ends_a_query_of_a_function_that_gets_a_reader",
        "test_lines_that_the_store_cannot_hold_are_kept_as_rejected_lines_with_their_bytes",
        "test_rows_that_the_store_cannot_hold_are_rejected_when_they_replace_others",
        "test_silences_are_stored_replaced_and_ended",
        "test_the_rows_of_a_file_are_replaced_and_its_position_stays",
        "test_streams_are_in_the_order_of_their_sources_and_a_known_stream_has_its_positions",
        "test_values_are_bound_and_never_become_sql",
    }
)
"""The tests that run on the remote stores on every run."""
