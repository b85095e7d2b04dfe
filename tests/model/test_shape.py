import pytest

from puppylog.model.shape import MAX_CHARACTERS, shape_of


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("user 17 logged in after 0.5 s", "user * logged in after * s"),
        ("order 7b0f9a52-3c1d-4e5f-8a9b-0c1d2e3f4a5b sent", "order * sent"),
        ("refused by 10.0.0.1:8080", "refused by *:*"),
        ("refused by [2001:db8::7]:8080 and fe80::1", "refused by [*]:* and *"),
        ("commit a1b2c3d, 3f2a9c1b77ee, deadbeefcafe and 0xff", "commit *, *, * and *"),
        ("open \"a file\" and 'another one'", "open * and *"),
        ("can't open, won't retry", "can't open, won't retry"),
        ("host web12 took 77ms", "host web* took *ms"),
        ("pod shop-7d9f8-x5kzq is ready", "pod shop-*-* is ready"),
        ("decade of the facade: std::deque", "decade of the facade: std::deque"),
        ("the first line\nand 2 more", "the first line"),
        ("", ""),
    ],
)
def test_the_parts_that_vary_become_stars(message: str, shape: str) -> None:
    assert shape_of(message) == shape


def test_the_shape_of_a_long_message_is_that_of_its_start() -> None:
    assert shape_of("x" * 10_000) == "x" * MAX_CHARACTERS
