"""As Django knows French, but with short months, which fit a column; and the narrow space between thousands."""

DATE_FORMAT = "j N Y"
TIME_FORMAT = "H:i"
THOUSAND_SEPARATOR = "\u202f"
