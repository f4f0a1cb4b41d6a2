import pytest

from llm_course.parallel.ledger import Ledger


@pytest.fixture
def ledger():
    made = Ledger()
    made.add("all_reduce", "data", "bucket 0", payload=100, sent=150)
    made.add("all_reduce", "tensor", "blocks.0.attention forward", payload=40, sent=40)
    made.add("all_reduce", "tensor", "blocks.1.attention forward", payload=40, sent=40)
    made.add("send", "pipeline", "forward", payload=8, sent=8)
    return made


def test_selects_by_collective_group_and_purpose(ledger):
    assert ledger.sent() == 238
    assert ledger.sent(collective="all_reduce") == 230
    assert ledger.sent(group="tensor") == 80
    assert ledger.sent(group="tensor", purpose="blocks.1") == 40
    assert ledger.count(group="tensor") == 2
    assert [t.purpose for t in ledger.select(group="pipeline")] == ["forward"]
    assert ledger.sent(group="nobody") == 0


def test_what_a_backend_sent_is_not_guessed(ledger):
    ledger.add("all_reduce", "data", "bucket 1", payload=100, sent=None)
    with pytest.raises(ValueError, match="algorithm='ring'"):
        ledger.sent(group="data")
    assert ledger.sent(group="tensor") == 80


def test_clear(ledger):
    ledger.clear()
    assert ledger.count() == ledger.sent() == 0
