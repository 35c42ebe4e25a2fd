"""Argon2 for persons, a bounded number at a time: each costs 100 MiB and a tenth of a second."""

import os
import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

_places = threading.BoundedSemaphore(os.cpu_count() or 1)


class BoundedArgon2Hasher(Argon2PasswordHasher):
    def encode(self, password: str, salt: str) -> str:
        with _places:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with _places:
            return super().verify(password, encoded)
