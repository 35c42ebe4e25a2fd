"""The inventory of what the registry holds: how manifests are understood, fetched once, and written."""
