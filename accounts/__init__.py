"""Who, and who did what: persons, accounts, members, users, secrets, the audit log."""
