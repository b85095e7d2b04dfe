"""What stands before the time: ``[vhost ]host ident user``.

The user is all that remains, so it may hold blanks and quotes. A user that begins with ``- `` has been pushed back by a
virtual host before the host: the fields move up by one, unless that would leave a dash, or nothing, for a host.
"""

from dataclasses import dataclass

import numpy as np

from puppylog.formats.access.clock import LEAD
from puppylog.formats.access.lines import Entries
from puppylog.formats.access.reason import Reason, Reasons, judge
from puppylog.formats.block import Block
from puppylog.formats.spans import Spans
from puppylog.formats.words import Bytes, Flags, Words, find_byte, word

_BLANK = 32
_DASH_BLANK = word("- ")
_EMPTY_QUOTES = word('""')
_TWO_BYTES = np.uint64(0xFFFF)


@dataclass(frozen=True, slots=True)
class Head:
    host: Spans
    ident: Spans
    user: Spans
    vhost: Spans
    reasons: Reasons


def read_head(block: Block, entries: Entries) -> Head:
    """Read the host, the ident and the user of each line."""
    until = entries.quotes[0] - LEAD
    host_until = find_byte(block.text, block.words, _BLANK, entries.since, until)
    ident_until = find_byte(block.text, block.words, _BLANK, host_until + 1, until)
    host = Spans(entries.since, host_until)
    ident = Spans(host_until + 1, ident_until)
    user = Spans(ident_until + 1, until)
    reasons = judge(((host_until == entries.since) | (ident_until >= until), Reason.HEAD))
    host, ident, user, vhost = _move_up(block.text, block.words, host, ident, user)
    return Head(
        host,
        ident.without_dashes(block.text),
        _without_empty_quotes(block.words, user.without_dashes(block.text)),
        vhost,
        reasons,
    )


def _move_up(text: Bytes, words: Words, host: Spans, ident: Spans, user: Spans) -> tuple[Spans, Spans, Spans, Spans]:
    """Take a virtual host out of the lines that have one."""
    no_vhost = Spans(host.since, host.since)
    long = np.flatnonzero(user.until - user.since >= 2)
    is_pushed = (words[user.since[long]] & _TWO_BYTES) == _DASH_BLANK
    next_host = ident.keep(long).without_dashes(text)
    is_pushed &= next_host.until > next_host.since
    if not is_pushed.any():
        return host, ident, user, no_vhost
    has_vhost = np.zeros(host.since.size, np.bool_)
    has_vhost[long] = is_pushed
    return (
        _choose(has_vhost, ident, host),
        _choose(has_vhost, Spans(user.since, user.since + 1), ident),
        _choose(has_vhost, Spans(user.since + 2, user.until), user),
        _choose(has_vhost, host, no_vhost),
    )


def _choose(condition: Flags, yes: Spans, no: Spans) -> Spans:
    return Spans(np.where(condition, yes.since, no.since), np.where(condition, yes.until, no.until))


def _without_empty_quotes(words: Words, users: Spans) -> Spans:
    """Empty the users that are written ``""``: Apache's way to write one whose name is empty."""
    two = np.flatnonzero(users.until - users.since == 2)
    quoted = two[(words[users.since[two]] & _TWO_BYTES) == _EMPTY_QUOTES]
    if not quoted.size:
        return users
    until = users.until.copy()
    until[quoted] -= 2
    return Spans(users.since, until)
