from puppylog.tui.source_names import shorten_sources


def test_different_sources_have_different_names_that_are_as_short_as_possible() -> None:
    uris = {
        1: "file://web1/var/log/nginx/access.log",
        2: "file://web2/var/log/nginx/access.log",
        3: "file://web1/var/log/sys%20log",
        4: "stdin://web1",
        5: "file://web1/srv/app.log",
        6: "file://web1/srv/app",
    }
    assert shorten_sources(uris) == {
        1: "web1:/var/log/nginx/access.log",
        2: "web2:/var/log/nginx/access.log",
        3: "sys log",
        4: "-",
        5: "app.log",
        6: "app",
    }


def test_two_streams_of_one_source_end_with_the_same_name() -> None:
    assert shorten_sources({1: "file:///a.log", 2: "file:///a.log"}) == {1: "file:///a.log", 2: "file:///a.log"}
    assert shorten_sources({}) == {}
