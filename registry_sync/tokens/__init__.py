"""Tokens out: a registry asks who may do what, and gets a signed answer."""
