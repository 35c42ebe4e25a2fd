"""How the showcase speaks, and gives up."""


class Broken(Exception):
    """A promise that was not kept."""


def say(line: str) -> None:
    print(f"   {line}", flush=True)


def demand(holds: object, promise: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(promise)
