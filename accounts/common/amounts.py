"""Numbers with what they count, in what commands print in English. PURE."""


def amount(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"
