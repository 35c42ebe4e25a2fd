"""Run inside `manage.py shell`: prints what a token takes by a password and by an ID token, and the RSA check alone."""

import base64
import gc
import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from jwt.algorithms import RSAAlgorithm

from accounts.models import Account, IdTokenIssuer, RegistryUser, TrustPolicy
from accounts.services import passwords
from namespaces.access import Level
from namespaces.models import Grant, Namespace
from registry_sync.tokens.wsgi import respond
from tests.parts import id_token_claims

BATCHES, BATCH = 60, 12
ISSUER = "https://token.actions.githubusercontent.com"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

private = rsa.generate_private_key(65537, 2048)
published = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True) | {
    "kid": "k",
    "use": "sig",
    "alg": "RS256",
}
account = Account.objects.create(name="Team", handle="bench-team")
user = RegistryUser.objects.create(account=account, username="wbench5k5ysq", description="CI")
namespace = Namespace.objects.create(account=account, name="bench")
Grant.objects.create(user=user, namespace=namespace, level=Level.WRITE)
issuer = IdTokenIssuer.objects.get(url=ISSUER)
IdTokenIssuer.objects.filter(pk=issuer.pk).update(jwks=json.dumps({"keys": [published]}))
TrustPolicy.objects.create(
    user=user,
    issuer=issuer,
    audience=settings.PUBLIC_URL,
    rules={"repository_id": {"is": [id_token_claims.REPOSITORY_ID]}, "ref": {"is": ["refs/heads/main"]}},
)
now = int(time.time())
times = {"iss": ISSUER, "aud": settings.PUBLIC_URL, "iat": now, "nbf": now, "exp": now + 3600}
id_token = jwt.encode(times | id_token_claims.github(), private, "RS256", headers={"kid": "k"})
password = passwords.add(user)
signing_input, _dot, signature = id_token.rpartition(".")
algorithm, public = RSAAlgorithm(RSAAlgorithm.SHA256), private.public_key()
raw = base64.urlsafe_b64decode(signature + "==")


def ask(given: str) -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": f"service={settings.TOKEN_SERVICE}&scope=repository%3Abench%2Fapp%3Apull%2Cpush",
        "HTTP_AUTHORIZATION": "Basic " + base64.b64encode(f"{user.username}:{given}".encode()).decode(),
        "HTTP_USER_AGENT": "docker/27.5.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": BytesIO(),
    }
    status, _headers, body = respond(environ, now=datetime.now(UTC))
    assert status == 200, body


def check() -> None:
    assert algorithm.verify(signing_input.encode(), public, raw)


def least(works: list[Callable[[], None]]) -> list[float]:
    """Return seconds of this thread for one of each, of the cheapest batch; in turns."""
    taken: list[list[float]] = [[] for _work in works]
    for _batch in range(BATCHES):
        for found, work in zip(taken, works, strict=True):
            began = time.thread_time()
            for _time in range(BATCH):
                work()
            found.append((time.thread_time() - began) / BATCH)
    return [min(found) for found in taken]


gc.freeze()
print(json.dumps(least([lambda: ask(password), lambda: ask(id_token), check])))
