"""Random regular expressions of RE2's syntax, and texts that they may match."""

from typing import Final

from hypothesis import strategies as st

_ATOMS: Final = (
    *("a", "b", "K", "s", "é", "ß", "😀", "-", "x", "\u03c3", r"\x41", r"\x{e9}", r"\.", r"\n"),
    *(
        ".",
        r"\d",
        r"\w",
        r"\s",
        r"\W",
        r"\S",
        r"\D",
        "[a-c]",
        r"[^a\n]",
        "[]a-]",
        r"[\-\]\[x\w]",
        r"[[:alpha:]é-ü]",
        "[^[:punct:]]",
    ),
    *("^", "$", r"\b", r"\B", r"\A", r"\z"),
)


def _longer(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    count = st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "{0}"])
    return st.one_of(
        st.builds("{}{}".format, part, part),
        st.builds("({}|{})".format, part, part),
        st.builds("(?:{}|)".format, part),
        st.builds("(?P<n>{}){}".format, part, count),
        st.builds("({}{})".format, st.sampled_from(["(?i)", "(?s)", "(?m)", "(?-i)", "(?im-s)"]), part),
        st.builds("(?i:{})".format, part),
    )


regexes: Final = st.recursive(st.sampled_from(_ATOMS), _longer, max_leaves=6)

TEXTS: Final = (
    *("", "a", "A", "ab\n", "k\nK", "é", "É", "aB c", "x-]", "\n", "1a_ ", "ß😀.", "\u212a", "\u017fs", "a\nb\n\n"),
    *("..[x", "foo bar", "ABé1 k", "\u03a3\u03c3\u03c2", "\t-\v\f", "aaab", "bab a"),
)
