"""`make demo`: something to show on every page, made through the services and pushed through the real protocol."""
