"""Which ID tokens are genuine, for us and for now; and that nothing but our own refusal leaves, whatever comes."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from accounts.id_tokens import verification
from accounts.id_tokens.verification import (
    LONGEST,
    Forged,
    IdTokenError,
    Malformed,
    Problem,
    UnknownKey,
    find_audience_problem,
    find_problem,
    looks_like_id_token,
    read_unverified,
    verify,
)

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER, AUDIENCE = "https://issuer.example.com", "https://panel.example.com"
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "repo:a/b", "iat": SECONDS - 10, "exp": SECONDS + 290}

RSA, OTHER_RSA = (rsa.generate_private_key(65537, 2048) for _n in range(2))
EC, ED = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
_MAKERS: Any = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}


def published(private: Any, algorithm: str, kid: str | None) -> jwt.PyJWK:
    values = _MAKERS[algorithm].to_jwk(private.public_key(), as_dict=True)
    return jwt.PyJWK(values | ({} if kid is None else {"kid": kid}), algorithm)


KEY, OTHER_KEY = published(RSA, "RS256", "a"), published(OTHER_RSA, "RS256", "b")
EC_KEY, ED_KEY = published(EC, "ES256", "e"), published(ED, "EdDSA", "d")


def verified_claims(token: str, keys: Sequence[jwt.PyJWK]) -> dict[str, Any]:
    return verify(token, read_unverified(token), keys)


def signed(claims: Any = CLAIMS, *, private: Any = RSA, algorithm: str = "RS256", **header: Any) -> str:
    return jwt.encode(claims, private, algorithm, headers={"kid": "a"} | header)


def encoded(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(text).rstrip(b"=").decode()


def signed_as_is(claims: bytes | dict[str, Any], **header: Any) -> str:
    """Signed, whatever PyJWT would say to it."""
    body = f"{encoded({'alg': 'RS256', 'kid': 'a'} | header)}.{encoded(claims)}"
    signature = RSAAlgorithm(RSAAlgorithm.SHA256).sign(body.encode(), RSA)
    return f"{body}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    ("private", "algorithm", "header", "keys"),
    [
        (RSA, "RS256", {}, [OTHER_KEY, KEY]),
        (EC, "ES256", {"kid": "e"}, [KEY, EC_KEY]),
        (ED, "EdDSA", {"kid": "d"}, [KEY, ED_KEY]),
        (RSA, "RS256", {}, [published(OTHER_RSA, "RS256", "a"), KEY]),  # two keys with one name
        (RSA, "RS256", {}, [published(EC, "ES256", "a"), KEY]),
        (RSA, "RS256", {}, [published(RSA, "RS256", None)]),  # the only key has no name
        (RSA, "RS256", {"kid": None}, [KEY]),
        (RSA, "RS256", {"kid": None}, [OTHER_KEY, KEY]),
        (RSA, "RS256", {"jku": "https://evil.example.com", "x5u": "https://evil.example.com"}, [KEY]),
        (RSA, "RS256", {"typ": "jwt"}, [KEY]),
    ],
)
def test_a_token_that_one_of_the_keys_signed_is_genuine(
    private: Any, algorithm: str, header: Any, keys: list[jwt.PyJWK]
) -> None:
    header = {name: value for name, value in ({"kid": "a"} | header).items() if value is not None}
    token = jwt.encode(CLAIMS, private, algorithm, headers=header)
    assert verified_claims(token, keys) == CLAIMS


def test_the_newer_name_of_ed25519_is_known() -> None:
    body = f"{encoded({'alg': 'Ed25519', 'kid': 'd'})}.{encoded(CLAIMS)}"
    token = f"{body}.{urlsafe_b64encode(ED.sign(body.encode())).rstrip(b'=').decode()}"
    assert verified_claims(token, [ED_KEY]) == CLAIMS


def jwk_in_header() -> dict[str, Any]:
    return dict(RSAAlgorithm.to_jwk(OTHER_RSA.public_key(), as_dict=True))


@pytest.mark.parametrize(
    ("token", "keys", "error"),
    [
        (signed(private=OTHER_RSA), [KEY], Forged),
        (signed(private=OTHER_RSA, jwk=jwk_in_header()), [KEY], Forged),
        (signed(), [OTHER_KEY], UnknownKey),
        (signed(), [], UnknownKey),
        (jwt.encode(CLAIMS, RSA, "RS256"), [], UnknownKey),
        (signed(kid="c"), [KEY, published(RSA, "RS256", None)], UnknownKey),
        # Without names one cannot tell a forged token from one of a key that has just replaced the others.
        (jwt.encode(CLAIMS, OTHER_RSA, "RS256"), [KEY], UnknownKey),
        (jwt.encode(CLAIMS, EC, "ES256"), [KEY], UnknownKey),
        (signed(private=OTHER_RSA), [published(RSA, "RS256", None)], UnknownKey),
        (signed(), [published(EC, "ES256", "a")], Forged),
        (signed(private=EC, algorithm="ES256"), [KEY], Forged),
        (signed()[:-4] + "AAAA", [KEY], Forged),
        (signed(CLAIMS | {"sub": "x"}).rsplit(".", 1)[0] + "." + signed().rsplit(".", 1)[1], [KEY], Forged),
        (jwt.encode(CLAIMS, "x" * 64, "HS256", headers={"kid": "a"}), [KEY], Malformed),
        (jwt.encode(CLAIMS, RSA, "PS256", headers={"kid": "a"}), [KEY], Malformed),
        (f"{encoded({'alg': 'none', 'kid': 'a'})}.{encoded(CLAIMS)}.AAAA", [KEY], Malformed),
        (f"{encoded({'alg': ['RS256']})}.{encoded(CLAIMS)}.AAAA", [KEY], Malformed),
        (signed_as_is(CLAIMS, crit=["exp"]), [KEY], Malformed),
        (signed_as_is(CLAIMS, typ="at+jwt"), [KEY], Malformed),
        (signed_as_is(CLAIMS, kid=7), [KEY], Malformed),
        (signed_as_is(CLAIMS, kid="k" * 300), [KEY], Malformed),
        (signed(CLAIMS | {"pad": "x" * LONGEST}), [KEY], Malformed),
        (signed() + "=", [KEY], Malformed),
        (signed().rsplit(".", 1)[0] + ".A", [KEY], Forged),
        (signed() + ".x", [KEY], Malformed),
        (signed_as_is(b'["iss"]'), [KEY], Malformed),
        (signed_as_is(b"{"), [KEY], Malformed),
        (signed_as_is(b"\xff"), [KEY], Malformed),
        (signed_as_is(b'{"iss": "a", "iss": "b"}'), [KEY], Malformed),
        (signed_as_is(b'{"iss": "a", "n": NaN}'), [KEY], Malformed),
        (signed_as_is({"sub": "x"}), [KEY], Malformed),
        (signed_as_is({"iss": ""}), [KEY], Malformed),
        (signed_as_is({"iss": 7}), [KEY], Malformed),
        (signed_as_is(b'{"iss": "a", "n": ' + b"[" * 8000 + b"]" * 800 + b"}"), [KEY], Malformed),
        (signed_as_is({"iss": "a", "n": [[[[[[[[[1]]]]]]]]]}), [KEY], Malformed),
        (signed_as_is({"iss": "a", "n": [1] * 1001}), [KEY], Malformed),
        (signed_as_is({"iss": "a", "n": [[[1] * 1001]]}), [KEY], Malformed),
    ],
)
def test_any_other_is_not(token: str, keys: list[jwt.PyJWK], error: type[IdTokenError]) -> None:
    with pytest.raises(error) as refused:
        verified_claims(token, keys)
    assert refused.value.reason


def test_of_many_keys_without_a_name_few_are_tried() -> None:
    others = [published(OTHER_RSA, "RS256", f"k{n}") for n in range(verification.MOST_TRIED)]
    with pytest.raises(UnknownKey):
        verified_claims(jwt.encode(CLAIMS, RSA, "RS256"), [*others, KEY])


@given(st.one_of(st.text(), st.binary().map(lambda some: some.decode("latin-1"))), st.data())
def test_nothing_but_our_own_refusal_leaves(junk: str, data: st.DataObject) -> None:
    token = signed()
    at = data.draw(st.integers(0, len(token)))
    for text in (junk, token[:at] + junk + token[at:], token[:at] + junk, f"eyJ{junk}.{junk}.{junk}"):
        try:
            assert verified_claims(text, [KEY, EC_KEY, ED_KEY]) == CLAIMS
        except IdTokenError:
            assert text != token


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]), JSON))
def test_claims_of_any_type_are_judged(odd: dict[str, Any]) -> None:
    claims = CLAIMS | odd
    try:
        problem = find_problem(claims, issuer=ISSUER, now=NOW) or find_audience_problem(claims, AUDIENCE)
    except IdTokenError:
        return
    if problem is None:
        assert claims["iss"] == ISSUER
        assert claims["sub"]
        assert claims["aud"] == AUDIENCE or AUDIENCE in claims["aud"]
        assert claims["iat"] - 60 <= SECONDS < claims["exp"] + 60


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({}, None),
        ({"exp": SECONDS - 59}, None),
        ({"exp": SECONDS + 290.5}, None),
        ({"exp": SECONDS - 60}, Problem("ended", "this ID token ended 1 minute ago")),  # type: ignore[arg-type]
        ({"exp": SECONDS - 200}, Problem("ended", "this ID token ended 3 minutes ago")),  # type: ignore[arg-type]
        ({"exp": SECONDS - 7200}, Problem("ended", "this ID token ended 2 hours ago")),  # type: ignore[arg-type]
        ({"exp": SECONDS - 172800}, Problem("ended", "this ID token ended 2 days ago")),  # type: ignore[arg-type]
        ({"iat": SECONDS + 60}, None),
        ({"nbf": SECONDS + 60}, None),
        ({"iat": SECONDS, "exp": SECONDS + 86400}, None),
        (
            {"iat": SECONDS, "exp": SECONDS + 86401},
            Problem("lifetime", "this ID token is valid for more than 24 hours"),  # type: ignore[arg-type]
        ),
    ],
)
def test_times(changed: dict[str, Any], problem: Problem | None) -> None:
    assert find_problem(CLAIMS | changed, issuer=ISSUER, now=NOW) == problem


@pytest.mark.parametrize("changed", [{"iat": SECONDS + 61}, {"nbf": SECONDS + 61}])
def test_a_token_of_the_future_is_not_valid_yet(changed: dict[str, Any]) -> None:
    problem = find_problem(CLAIMS | changed, issuer=ISSUER, now=NOW)
    assert problem
    assert "not valid yet" in problem.reason
    later = NOW + timedelta(seconds=1)
    assert find_problem(CLAIMS | changed, issuer=ISSUER, now=later) is None


ODD_TIMES = ["1795870622", True, None, [], {}, -1, 2**40, 10**400, float("inf"), float("nan")]


@pytest.mark.parametrize(
    "changed",
    [
        *({name: value} for name in ("exp", "iat", "nbf") for value in ODD_TIMES),
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"sub": ""},
        {"sub": 7},
    ],
    ids=str,
)
def test_what_no_issuer_may_leave_out(changed: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        find_problem(CLAIMS | changed, issuer=ISSUER, now=NOW)


@pytest.mark.parametrize("missing", ["exp", "iat", "sub", "iss"])
def test_none_may_be_missing(missing: str) -> None:
    with pytest.raises(Malformed):
        find_problem({name: CLAIMS[name] for name in CLAIMS if name != missing}, issuer=ISSUER, now=NOW)


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
def test_for_us(audience: Any) -> None:
    assert find_audience_problem({"aud": audience}, AUDIENCE) is None


@pytest.mark.parametrize("audience", ["sts.amazonaws.com", AUDIENCE + "/", AUDIENCE.upper(), ["other"]])
def test_for_others(audience: Any) -> None:
    problem = find_audience_problem({"aud": audience}, AUDIENCE)
    assert problem
    assert AUDIENCE in problem.reason


@pytest.mark.parametrize("audience", [None, 7, [], [7], {AUDIENCE: 1}, [[AUDIENCE]], ["a"] * 20 + [AUDIENCE]])
def test_for_nobody(audience: Any) -> None:
    with pytest.raises(Malformed):
        find_audience_problem({"aud": audience}, AUDIENCE)


def test_what_is_meant_for_an_id_token() -> None:
    assert looks_like_id_token(signed())
    assert not looks_like_id_token("rmp_abc")
    assert not looks_like_id_token("eyJ.x")
    assert read_unverified(signed()).issuer == ISSUER
