"""The catalog in: read the registry, compare, mend the picture. Never writes to the registry."""
