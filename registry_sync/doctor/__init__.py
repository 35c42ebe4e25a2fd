"""Looks at the whole installation as an expert would: what is wrong, and the line to change."""

# The only repository that the panel ever writes into by itself; its first part is reserved, so nobody owns it.
REPOSITORY = "registry-manager/doctor"
