from puppylog.serve.reports import Reports


def test_a_sentence_is_told_once_a_minute_and_then_says_how_often_it_was_held() -> None:
    told: list[str] = []
    now = [0.0]
    report = Reports(told.append, lambda: now[0])
    for now[0] in (0.0, 1.0, 59.0):
        report("a")
    report("b")
    assert told == ["a", "b"]
    now[0] = 60.0
    report("a")
    report("a")
    assert told == ["a", "b", "a (and 2 more times)"]


def test_many_different_sentences_take_little_memory() -> None:
    report = Reports(lambda _sentence: None)
    for number in range(1_000):
        report(f"sentence {number}")
    assert len(report._told) <= 100
