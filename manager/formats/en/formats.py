"""How English pages write a day; every other language does as Django knows it, and so do numbers."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
