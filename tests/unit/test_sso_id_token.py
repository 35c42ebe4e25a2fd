"""What the provider's ID token proves, and what it does not."""

import base64
import json
from time import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.sso import id_token
from accounts.sso.id_token import Untrusted, verify
from tests.parts.id_token_issuer import SigningKey

ISSUER, CLIENT, NONCE = "https://login.example.com", "panel", "once"
KEY = SigningKey.make("first")
EC = SigningKey.make("ec", "ES256")
ED = SigningKey.make("ed", "EdDSA")
OTHER = SigningKey.make("first")


def claims(**more: Any) -> dict[str, Any]:
    now = int(time())
    made = {"iss": ISSUER, "aud": CLIENT, "sub": "ann", "nonce": NONCE, "iat": now, "exp": now + 300} | more
    return {name: value for name, value in made.items() if value is not None}


def keys(*given: SigningKey) -> dict[str, Any]:
    return {"keys": [each.published for each in given]}


def verified(token: str, known: object = None) -> dict[str, Any]:
    known = keys(KEY, EC, ED) if known is None else known
    return verify(token, keys=known, issuer=ISSUER, client_id=CLIENT, nonce=NONCE)


def why_not(token: str, known: object = None) -> Untrusted:
    with pytest.raises(Untrusted) as caught:
        verified(token, known)
    return caught.value


@pytest.mark.parametrize("key", [KEY, EC, ED], ids=lambda key: key.algorithm)
def test_a_right_one_is_taken(key: SigningKey) -> None:
    assert verified(key.sign(claims()))["sub"] == "ann"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"iss": "https://elsewhere.example.com"}, "names another issuer"),
        ({"aud": "another"}, "made for another client"),
        ({"aud": [CLIENT, "another"]}, "made for another client"),
        ({"azp": "another"}, "made for another client"),
        ({"nonce": "other"}, "belongs to another sign-in"),
        ({"nonce": None}, "belongs to another sign-in"),
        ({"exp": int(time()) - 120}, "has ended"),
        ({"iat": int(time()) + 3600}, "is not valid yet"),
        ({"nbf": int(time()) + 3600}, "is not valid yet"),
        ({"exp": None}, "no valid ID token"),
        ({"sub": None}, "no valid ID token"),
        ({"sub": ""}, "does not say who"),
        ({"sub": "a\0b"}, "does not say who"),
        ({"sub": "x" * 256}, "does not say who"),
        ({"exp": "soon"}, "no valid ID token"),
    ],
)
def test_a_wrong_claim_is_refused(more: dict[str, Any], words: str) -> None:
    assert words in why_not(KEY.sign(claims(**more))).text


def test_clocks_may_differ_a_little() -> None:
    now = int(time())
    assert verified(KEY.sign(claims(exp=now - 30, iat=now + 30)))


def test_several_audiences_name_the_one_it_is_for() -> None:
    assert verified(KEY.sign(claims(aud=[CLIENT, "another"], azp=CLIENT)))


def test_another_key_with_the_same_id_signs_nothing() -> None:
    error = why_not(OTHER.sign(claims()))
    assert "None of the provider’s keys matches" in error.text
    assert error.unknown_key


def test_of_two_keys_with_one_id_both_are_tried() -> None:
    assert verified(KEY.sign(claims()), keys(OTHER, KEY))


def test_keys_without_id() -> None:
    nameless = SigningKey.make(None)
    assert verified(nameless.sign(claims()), keys(nameless))
    assert verified(nameless.sign(claims()), keys(KEY, nameless))


def test_a_key_without_algorithm_takes_the_tokens() -> None:
    key = SigningKey.make("entra", alg=None)
    assert verified(key.sign(claims()), keys(key))


def test_keys_for_something_else_sign_nothing() -> None:
    for unfit in (
        SigningKey.make("k", use="enc"),
        SigningKey.make("k", kty="oct"),
        SigningKey.make("k", kty="strange"),
        SigningKey.make("k", alg="RS512"),
    ):
        assert why_not(unfit.sign(claims()), keys(unfit)).unknown_key


@pytest.mark.parametrize("known", [None, [], {}, {"keys": None}, {"keys": ["text", 3]}, "text"])
def test_no_keys_no_trust(known: object) -> None:
    assert why_not(KEY.sign(claims()), known if known is not None else {}).unknown_key


def test_the_clients_secret_signs_nothing() -> None:
    token = jwt.encode(claims(), "x" * 64, "HS256")
    assert "which the panel does not accept" in why_not(token).text
    unsigned = jwt.encode(claims(), None, "none")
    assert "signed with none" in why_not(unsigned).text


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_whatever_comes_is_refused(text: str) -> None:
    why_not(text)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda each: st.lists(each) | st.dictionaries(st.text(), each)
    )
)
def test_whatever_header_comes_is_refused(header: Any) -> None:
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    why_not(f"{head}.e30.")


def test_a_giant_is_not_read() -> None:
    assert "too long" in why_not("x" * (id_token.TOKEN_MAX + 1)).text
