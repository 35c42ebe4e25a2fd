"""Requests to addresses that people or operators name: checked, pinned, bounded."""
