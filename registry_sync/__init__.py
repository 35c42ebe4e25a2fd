"""The border with the registry: tokens out, the catalog in."""
