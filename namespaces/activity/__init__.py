"""What happened in an account: changes from the audit log, and pushes, pulls and denied requests of its users."""
