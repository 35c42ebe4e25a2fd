"""ID tokens of CI jobs, which stand in for a password: who signs them, what they say, and whom they let in."""
