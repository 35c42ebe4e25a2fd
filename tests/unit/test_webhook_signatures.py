"""What is sent is verified as receivers do: by the library of Standard Webhooks, and by HMAC of the body."""

import base64
import hmac
import time
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from namespaces.webhooks.signatures import signature_headers

KEY = st.sampled_from([24, 27, 30]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
BODY = b'{"n":"\xc3\xa9"}'


def secret_of(key: bytes) -> str:
    return f"whsec_{base64.b64encode(key).decode()}"


def signed(body: bytes, *secrets: str, age: int = 0) -> dict[str, str]:
    return signature_headers(body, message_id="msg_1", timestamp=int(time.time()) - age, secrets=secrets)


@given(KEY, KEY, st.binary(max_size=200))
def test_each_secret_in_use_verifies_and_no_other(new: bytes, old: bytes, body: bytes) -> None:
    body = b'{"hex":"' + body.hex().encode() + b'"}'
    headers = signed(body, secret_of(new), secret_of(old))
    for key in (new, old):
        Webhook(secret_of(key)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(new[::-1] + b"x" * 3)).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(new)).verify(body + b" ", headers)


def test_an_old_one_is_refused_by_its_time_and_another_id_by_its_signature() -> None:
    secret = secret_of(b"k" * 24)
    with pytest.raises(WebhookVerificationError, match="old"):
        Webhook(secret).verify(BODY, signed(BODY, secret, age=400))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signed(BODY, secret) | {"webhook-id": "msg_2"})


def test_a_body_that_is_empty_is_signed_as_well() -> None:
    secret = secret_of(b"k" * 24)
    Webhook(secret).verify(b"", signed(b"", secret), json_parse=False)


def test_two_signatures_are_parted_by_one_space_and_the_newest_alone_signs_the_body() -> None:
    new, old = secret_of(b"n" * 24), secret_of(b"o" * 24)
    headers = signed(BODY, new, old)
    assert [each[:3] for each in headers["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    expected = "sha256=" + hmac.new(new.encode(), BODY, sha256).hexdigest()
    assert headers["X-Hub-Signature-256"] == headers["X-Signature"] == expected
