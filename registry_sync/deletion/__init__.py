"""Removes tags and images from the registry, and puts them back: only where a person or a rule asked for just that."""
