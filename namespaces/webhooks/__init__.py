"""Webhooks: what is told to other services, how it is written and signed, and its delivery."""
