"""Encryption in the age format: what we or others wrote is opened, and nothing that was changed."""

import base64
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager.backup import age

PASSPHRASE = "correct horse battery"
# Written by age 1.2.1 itself, from the text "made by age".
BY_ANOTHER = """
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBSb0pycWduVGNxdFpxMGJ4U2ZVUERnIDQKS0lRVXhZQ1FvcnhMQ1B5aUpX
end4SUpuRmpINW1QenQvNWdZb3pETDJwWQotLS0gbjRYbW9LV1g5UTdpWTV5RVd3bm1BN3QwRG1vUnJzak1acFRRSWJEdTBGTQrG
ceMGX7kETwzrL6vNIa/PmlidQXR7GYzCdxDHrhduXGkua8BqKi+zNri/
"""


def sealed(content: bytes) -> bytes:
    return age.encrypt(content, PASSPHRASE, work_factor=1)


@given(
    st.binary(max_size=100) | st.sampled_from([bytes(age.CHUNK), bytes(age.CHUNK + 1), bytes(2 * age.CHUNK)])
)
def test_it_comes_back(content: bytes) -> None:
    assert age.decrypt(sealed(content), PASSPHRASE) == content


def test_another_programs_file_is_opened() -> None:
    assert age.decrypt(base64.b64decode(BY_ANOTHER), PASSPHRASE) == b"made by age"


def test_no_other_passphrase_opens_it() -> None:
    with pytest.raises(age.AgeError, match="another one"):
        age.decrypt(sealed(b"secret"), "correct horse cattery")


@pytest.mark.parametrize("at", [0, 30, 80, 130, -40, -20, -1])
def test_no_changed_byte_passes(at: int) -> None:
    content = bytearray(sealed(b"secret"))
    content[at] ^= 1
    with pytest.raises(age.AgeError):
        age.decrypt(bytes(content), PASSPHRASE)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_no_header_is_written_in_two_ways(line: int) -> None:
    """The last character has bits that decoders ignore."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    lines = sealed(b"secret").split(b"\n", 4)
    text, work = lines[line].split(b" ")[-1 if line != 1 else 2].decode(), b" 1" if line == 1 else b""
    other = text[:-1] + letters[letters.index(text[-1]) + 1]
    assert base64.b64decode(other + "==") == base64.b64decode(text + "==")
    lines[line] = lines[line].removesuffix(text.encode() + work) + other.encode() + work
    with pytest.raises(age.AgeError, match="not encrypted"):
        age.decrypt(b"\n".join(lines), PASSPHRASE)


def test_no_chunk_may_be_cut_off_moved_or_added() -> None:
    whole = sealed(bytes(3 * age.CHUNK))
    size = age.CHUNK + age.TAG
    head, first, second, third = (
        whole[: -3 * size],
        whole[-3 * size : -2 * size],
        whole[-2 * size : -size],
        whole[-size:],
    )
    for parts in (
        [first, second],
        [second, first, third],
        [first, second, third, third],
        [],
        [first, second, third[:-1]],
    ):
        with pytest.raises(age.AgeError, match="changed or cut off"):
            age.decrypt(head + b"".join(parts), PASSPHRASE)


def test_what_asks_for_too_much_work_is_refused() -> None:
    greedy = sealed(b"").replace(b" 1\n", b" 30\n", 1)
    with pytest.raises(age.AgeError, match="more work"):
        age.decrypt(greedy, PASSPHRASE)


def test_an_empty_last_chunk_is_refused() -> None:
    file_key, nonce = bytes(16), bytes(16)
    chunks = age._chunks(bytes(age.CHUNK), file_key, nonce)
    assert age._opened(nonce + chunks, file_key) == bytes(age.CHUNK)
    cipher = age.ChaCha20Poly1305(age._derived(file_key, nonce, b"payload"))
    first = cipher.encrypt(age._number(0, is_last=False), bytes(age.CHUNK), None)
    empty = cipher.encrypt(age._number(1, is_last=True), b"", None)
    with pytest.raises(age.InvalidTag):
        age._opened(nonce + first + empty, file_key)


@pytest.mark.parametrize(
    "content", [b"", b"age-encryption.org/v1\n", b"tar", b"age-encryption.org/v1\n-> X25519 a\n"]
)
def test_what_is_not_in_the_format_is_refused(content: bytes) -> None:
    with pytest.raises(age.AgeError, match="not encrypted"):
        age.decrypt(content, PASSPHRASE)
