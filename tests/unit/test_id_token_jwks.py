"""What is taken of a JWKS: each key for itself, within bounds, and nothing that should be secret."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from accounts.id_tokens import jwks
from accounts.id_tokens.jwks import KeySet, Unusable
from tests.parts.id_token_issuer import SigningKey

RSA, EC, OKP = (SigningKey.make(name, name) for name in ("RS256", "ES256", "EdDSA"))
OTHER = SigningKey.make("other", "ES256")
NO_KEY = "The key set has no key for RS256, ES256 or EdDSA."
UNREADABLE = "A key in the set cannot be read."
SIZE = "RSA keys must have 2,048 to 8,192 bits."


def text(*keys: Any, **more: Any) -> str:
    return json.dumps({"keys": list(keys), **more})


def named(keys: KeySet) -> list[tuple[str | None, str]]:
    return [(key.key_id, key.algorithm_name) for key in keys.keys]


def without(key: SigningKey, *names: str) -> dict[str, Any]:
    return {name: value for name, value in key.published.items() if name not in names}


def test_each_kind_of_key() -> None:
    found = jwks.read(text(RSA.published, EC.published, OKP.published, more="ignored"))
    assert named(found) == [("RS256", "RS256"), ("ES256", "ES256"), ("EdDSA", "EdDSA")]


def test_what_is_kept_is_what_is_needed_and_reads_the_same() -> None:
    found = jwks.read(text(RSA.published | {"x5c": ["MII"], "use": "sig"}, without(OKP, "kid")))
    kept = json.loads(found.text)["keys"]
    assert [set(each) for each in kept] == [{"kty", "kid", "n", "e"}, {"kty", "crv", "x"}]
    assert named(jwks.read(found.text)) == named(found) == [("RS256", "RS256"), (None, "EdDSA")]


def test_keys_that_share_a_name_and_those_without_one_are_all_taken() -> None:
    same = EC.published | {"kid": "same"}, OTHER.published | {"kid": "same"}, without(RSA, "kid")
    assert named(jwks.read(text(*same))) == [("same", "ES256"), ("same", "ES256"), (None, "RS256")]


def test_a_key_alone_is_a_set_of_one() -> None:
    assert named(jwks.read(json.dumps(EC.published))) == [("ES256", "ES256")]


@pytest.mark.parametrize(
    ("earlier", "now", "holds"),
    [
        ([RSA, EC], [RSA, EC], True),
        ([RSA, EC], [EC, OTHER, RSA], True),  # another order, and one more
        ([RSA, EC], [RSA], False),
        ([EC], [OTHER], False),
        ([], [RSA], True),
        ([RSA], [], False),
        ([], [], True),
    ],
)
def test_whether_every_earlier_key_is_still_there(
    earlier: list[SigningKey], now: list[SigningKey], holds: bool
) -> None:
    kept, before = (text(*(key.published for key in keys)) if keys else "" for keys in (now, earlier))
    assert jwks.holds_all(kept, before) is holds


def test_a_key_under_a_name_of_before_is_another_one() -> None:
    assert not jwks.holds_all(text(OTHER.published | {"kid": "EC"}), text(EC.published | {"kid": "EC"}))


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (without(RSA, "alg"), "RS256"),
        (without(EC, "alg", "use"), "ES256"),
        (OKP.published | {"alg": "Ed25519"}, "EdDSA"),
        (EC.published | {"key_ops": ["verify"]}, "ES256"),
    ],
)
def test_an_algorithm_may_be_missing_or_newly_named(key: dict[str, Any], algorithm: str) -> None:
    (found,) = jwks.read(text(key)).keys
    assert found.algorithm_name == algorithm


def p384() -> dict[str, Any]:
    return dict(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True))


def rsa_of(bits: int, exponent: int = 65537) -> dict[str, Any]:
    return dict(RSAAlgorithm.to_jwk(rsa.generate_private_key(exponent, bits).public_key(), as_dict=True))


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({"kty": "oct", "k": "c2VjcmV0"}, "It publishes a private key."),
        (EC.published | {"d": "AA"}, "It publishes a private key."),
        (EC.published | {"use": "enc"}, "Its keys are not for signatures."),
        (EC.published | {"key_ops": ["sign"]}, "Its keys are not for signatures."),
        (EC.published | {"key_ops": "verify"}, "Its keys are not for signatures."),
        (p384(), NO_KEY),
        (RSA.published | {"alg": "RS512"}, NO_KEY),
        (RSA.published | {"alg": "PS256"}, NO_KEY),
        (RSA.published | {"alg": None}, NO_KEY),
        ({}, NO_KEY),
        ({"kty": ["RSA"]}, NO_KEY),
        (RSA.published | {"n": 5}, UNREADABLE),
        (RSA.published | {"n": "!"}, UNREADABLE),
        (RSA.published | {"n": ""}, UNREADABLE),
        (RSA.published | {"e": ""}, UNREADABLE),
        (without(RSA, "e"), UNREADABLE),
        (RSA.published | {"kid": 7}, UNREADABLE),
        (RSA.published | {"kid": "a\nb"}, UNREADABLE),
        (EC.published | {"x": OTHER.published["x"]}, UNREADABLE),
        (OKP.published | {"x": "AA"}, UNREADABLE),
        (rsa_of(1024), SIZE),
        (RSA.published | {"n": "f" * 1401}, SIZE),
        (RSA.published | {"e": "AQAAAAE"}, SIZE),
    ],
)
def test_a_key_that_may_not_verify_is_left_out(key: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unusable) as alone:
        jwks.read(text(key))
    assert alone.value.text == reason
    assert named(jwks.read(text(key, EC.published))) == [("ES256", "ES256")]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "This is not JSON."),
        ("{", "This is not JSON."),
        ("[" * 100_000, "This is not JSON."),
        ("1" * 10_000, "This is not JSON."),
        ('{"keys": [NaN]}', "This is not JSON."),
        ("[]", "This is not a JWKS: it has no “keys”."),
        ("{}", "This is not a JWKS: it has no “keys”."),
        ('{"keys": {}}', "This is not a JWKS: it has no “keys”."),
        (text(), "The key set is empty."),
        (text(1, None, "key"), "The key set is empty."),
        (text(*[{}] * 101), "The key set has more than 100 keys."),
        (" " * (256 * 1024 + 1), "The key set is longer than 262,144 bytes."),
        ("é" * (128 * 1024 + 1), "The key set is longer than 262,144 bytes."),
    ],
)
def test_what_is_no_key_set(written: str, reason: str) -> None:
    for reads in (jwks.read, jwks.read_pasted):
        with pytest.raises(Unusable) as error:
            reads(written)
        assert error.value.text == reason
    assert jwks.parsed(written) == ()


def test_a_hundred_keys_are_taken() -> None:
    assert len(jwks.read(text(*[EC.published] * 100)).keys) == 100


@pytest.mark.parametrize("secret", [EC.published | {"d": "AA"}, {"kty": "oct", "k": "AA"}, {"kty": "oct"}])
def test_a_private_key_refuses_all_that_was_pasted(secret: dict[str, Any]) -> None:
    with pytest.raises(Unusable) as error:
        jwks.read_pasted(text(RSA.published, secret | {"kid": "mine"}))
    assert error.value.text == "This is a private key (mine). Paste the public keys alone."
    with pytest.raises(Unusable, match=r"This is a private key \(2\)"):
        jwks.read_pasted(text(RSA.published, {**secret, "kid": None}))
    assert named(jwks.read_pasted(text(RSA.published))) == [("RS256", "RS256")]


def test_keys_are_parsed_once() -> None:
    kept = jwks.read(text(RSA.published)).text
    assert jwks.parsed(kept) is jwks.parsed("".join(kept))
    signed = RSA.sign({"sub": "me"})
    (key,) = jwks.parsed(kept)
    assert jwt.decode(signed, key.key, algorithms=["RS256"]) == {"sub": "me"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["RSA", "EC", "OKP"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keys", "kty", "n"]), inner),
    max_leaves=8,
)
KEYS = st.builds(
    lambda key, more: key.published | more,
    st.sampled_from([RSA, EC, OKP]),
    st.dictionaries(
        st.sampled_from(["kty", "kid", "use", "alg", "crv", "n", "e", "x", "y", "key_ops"]), VALUES
    ),
)


@given(VALUES | st.lists(KEYS, max_size=3).map(lambda keys: {"keys": keys}))
def test_whatever_stands_there_is_read_or_refused(value: Any) -> None:
    for reads in (jwks.read, jwks.read_pasted):
        try:
            found = reads(json.dumps(value))
        except Unusable:
            continue
        assert {key.algorithm_name for key in found.keys} <= {"RS256", "ES256", "EdDSA"}
