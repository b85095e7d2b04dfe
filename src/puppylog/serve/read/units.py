"""Places in a text in units of UTF-16, as JavaScript counts them."""


def count_units(text: str) -> int:
    """Return the length of a text in units of UTF-16.

    >>> count_units("aé🐶")
    4
    """
    return len(text) + sum(character > "\uffff" for character in text)


def find_character(text: str, units: int) -> int:
    """Return the index of the character at a place in units of UTF-16; the length of the text if it is after its end.

    >>> find_character("🐶b", 2), find_character("🐶b", 9)
    (1, 2)
    """
    passed = 0
    for index, character in enumerate(text):
        if passed >= units:
            return index
        passed += 2 if character > "\uffff" else 1
    return len(text)
