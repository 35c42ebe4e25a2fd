"""How English pages write a day; numbers are as Django knows them."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
