"""What is agreed to is known again by its fingerprint."""

from registry_sync.deletion.fingerprint import fingerprint


def test_the_same_has_one_fingerprint_and_another_order_another() -> None:
    assert fingerprint([1, "a"]) == fingerprint([1, "a"])
    assert fingerprint([1, "a"]) != fingerprint(["a", 1])
    assert len(fingerprint({})) == 64
