"""Finds the parts of a text that a regular expression matches, in a time that is linear in the length of the text.

Stores only tell whether a text matches. Python's `re` could tell where, but its syntax differs from RE2's, and a
hostile line can take exponential time. So the tree becomes an automaton here: each step goes from one set of
instructions to the next, and the steps that were taken are kept.
"""

import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from puppylog.model.regex.characters import Ranges, unite
from puppylog.model.regex.tree import Alternatives, Assertion, AssertionKind, Characters, Regex, Repeat
from puppylog.model.regex.tree import Sequence as Parts

Span: TypeAlias = tuple[int, int]
"""The index of the first character, and the index after the last one."""

# How many steps a search may take per character of the text, and in addition: `a*b` would look at each of n
# characters n times. The spans that were found by then are returned.
_STEPS_PER_CHARACTER: Final = 16
_FREE_STEPS: Final = 1000
# The most steps that are kept; then all are forgotten, so that texts with many different characters do not fill memory.
_MAX_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Character:
    ranges: Ranges
    then: int


@dataclass(frozen=True, slots=True)
class _Assertion:
    kind: AssertionKind
    then: int


@dataclass(frozen=True, slots=True)
class _Fork:
    then: tuple[int, ...]


_Instruction: TypeAlias = _Character | _Assertion | _Fork | None
_MATCH: Final = 0  # the number of the instruction at which the expression has matched


@dataclass(slots=True)
class _State:
    """A set of instructions that are reached together."""

    instructions: frozenset[int]
    # By the assertions that hold; and by these and the character.
    closures: "dict[int, tuple[bool, frozenset[int]]]" = field(default_factory=dict)
    steps: "dict[tuple[int, str], _State]" = field(default_factory=dict)


class SpanFinder:
    """Finds the parts of texts that one regular expression matches."""

    def __init__(self, regex: Regex) -> None:
        self._program: list[_Instruction] = [None]
        self._start = frozenset({self._add_regex(regex, _MATCH)})
        self._candidates = self._compile_candidates()
        self._has_assertions = any(isinstance(instruction, _Assertion) for instruction in self._program)
        self._states: dict[frozenset[int], _State] = {}
        self.steps_taken = 0  # in all searches
        self.kept_steps = 0

    def find(self, text: str) -> list[Span]:
        """Return the longest matches from left to right. Matches are not empty and do not overlap."""
        spans: list[Span] = []
        steps_left = _STEPS_PER_CHARACTER * len(text) + _FREE_STEPS
        at = 0
        while steps_left > 0 and (candidate := self._candidates.search(text, at)):
            at = candidate.start()
            end, steps = self._find_end(text, at, steps_left)
            steps_left -= steps
            self.steps_taken += steps
            if end > at:
                spans.append((at, end))
            at = max(end, at + 1)
        return spans

    def _compile_candidates(self) -> re.Pattern[str]:
        """Return a pattern of the characters with which a match may begin, so that `re` skips all others."""
        _, numbers = self._reach(self._start, _ALL_PLACES)
        first = [instruction for number in numbers if isinstance(instruction := self._program[number], _Character)]
        ranges = unite(pair for instruction in first for pair in instruction.ranges)
        return re.compile(
            "[" + "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges) + "]" if ranges else "(?!)"
        )

    def _find_end(self, text: str, start: int, most: int) -> tuple[int, int]:
        """Return where the longest match from ``start`` on ends (-1: none), and the number of steps taken."""
        state, end, assertions = self._state(self._start), -1, 0
        at = start
        while True:
            if self._has_assertions:
                assertions = _assertions_at(text, at)
            accepts, _ = self._close(state, assertions)
            if accepts:
                end = at
            if at == len(text) or at - start >= most:
                return end, at - start + 1
            state = self._step(state, assertions, text[at])
            if not state.instructions:
                return end, at - start + 1
            at += 1

    def _state(self, instructions: frozenset[int]) -> _State:
        state = self._states.get(instructions)
        if state is None:
            state = self._states[instructions] = _State(instructions)
        return state

    def _close(self, state: _State, assertions: int) -> tuple[bool, frozenset[int]]:
        """Return whether the state has matched, and the instructions for the next character."""
        found = state.closures.get(assertions)
        if found is None:
            found = state.closures[assertions] = self._reach(state.instructions, assertions)
        return found

    def _reach(self, instructions: frozenset[int], assertions: int) -> tuple[bool, frozenset[int]]:
        waiting, seen, characters = list(instructions), set(instructions), set()
        while waiting:
            number = waiting.pop()
            then: tuple[int, ...] = ()
            match self._program[number]:
                case _Fork(then):
                    pass
                case _Assertion(kind, after):
                    then = (after,) if assertions & _BITS[kind] else ()
                case _Character():
                    characters.add(number)
            waiting.extend(other for other in then if other not in seen)
            seen.update(then)
        return _MATCH in seen, frozenset(characters)

    def _step(self, state: _State, assertions: int, character: str) -> _State:
        found = state.steps.get((assertions, character))
        if found is None:
            code = ord(character)
            _, numbers = self._close(state, assertions)
            reached = frozenset(then for number in numbers if (then := self._next(number, code)) is not None)
            self.kept_steps += 1
            if self.kept_steps > _MAX_KEPT:
                self._states.clear()
                self.kept_steps = 0
            found = state.steps[assertions, character] = self._state(reached)
        return found

    def _next(self, number: int, code: int) -> int | None:
        instruction = self._program[number]
        if isinstance(instruction, _Character) and any(low <= code <= high for low, high in instruction.ranges):
            return instruction.then
        return None

    def _add_regex(self, regex: Regex, then: int) -> int:
        """Add the instructions of ``regex``, which go on at ``then``; return the number of the first one."""
        match regex:
            case Characters(ranges):
                return self._add(_Character(ranges, then))
            case Assertion(kind):
                return self._add(_Assertion(kind, then))
            case Parts(parts):
                for part in reversed(parts):
                    then = self._add_regex(part, then)
                return then
            case Alternatives(parts):
                return self._add(_Fork(tuple(self._add_regex(part, then) for part in parts)))
            case Repeat(part, least, most):
                return self._add_repeat(part, least, most, then)

    def _add_repeat(self, part: Regex, least: int, most: int | None, then: int) -> int:
        if most is None:
            loop = self._add(None)
            self._program[loop] = _Fork((self._add_regex(part, loop), then))
            then = loop
        else:
            after = then
            for _ in range(most - least):
                then = self._add(_Fork((self._add_regex(part, then), after)))
        for _ in range(least):
            then = self._add_regex(part, then)
        return then

    def _add(self, instruction: _Instruction) -> int:
        self._program.append(instruction)
        return len(self._program) - 1


_BITS: Final = {kind: 1 << number for number, kind in enumerate(AssertionKind)}
_ALL_PLACES: Final = sum(_BITS.values())


def _assertions_at(text: str, at: int) -> int:
    """Return the bits of the assertions that hold before the character at ``at``."""
    before, after = text[at - 1 : at], text[at : at + 1]
    is_edge = _is_word(before) is not _is_word(after)
    return (
        _BITS[AssertionKind.WORD_EDGE if is_edge else AssertionKind.NO_WORD_EDGE]
        | (0 if before else _BITS[AssertionKind.START])
        | (0 if after else _BITS[AssertionKind.END])
        | (_BITS[AssertionKind.LINE_START] if before in {"", "\n"} else 0)
        | (_BITS[AssertionKind.LINE_END] if after in {"", "\n"} else 0)
    )


def _is_word(character: str) -> bool:
    return character.isascii() and (character.isalnum() or character == "_")
