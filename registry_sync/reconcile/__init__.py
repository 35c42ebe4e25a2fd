"""The catalog in: read the registry, compare, mend the inventory. Never writes to the registry."""
