"""The operator's pages. To everybody else they do not exist."""
