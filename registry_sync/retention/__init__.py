"""Retention: which tags and images a rule keeps, what it would remove, and its runs."""
