"""One application of a retention rule."""


def settle(run_id: int) -> None:
    """Ends the run when all that it asked for is done."""
