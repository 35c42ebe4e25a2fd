"""What failed is left alone for a while, and then asked again."""

from accounts.common.circuit_breaker import Breaker


def test_it_rests_after_a_failure_and_asks_again() -> None:
    now = [0.0]
    breaker = Breaker(rest=5, clock=lambda: now[0])
    assert breaker.may_ask
    breaker.failed()
    assert not breaker.may_ask
    now[0] = 4.9
    assert not breaker.may_ask
    now[0] = 5.0
    assert breaker.may_ask
    breaker.failed()
    assert not breaker.may_ask
