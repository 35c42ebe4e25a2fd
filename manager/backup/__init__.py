"""A backup of database and keys as one file, and the way back (docs/backup.md)."""
