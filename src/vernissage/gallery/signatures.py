"""Detached signatures of files in the form of minisign (https://jedisct1.github.io/minisign/): Ed25519 over BLAKE2b.

Whoever has minisign or a program like it verifies them; keys are written without a password, as by ``minisign -GW``.
"""

import base64
import binascii
import hashlib
import secrets
import time
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vernissage.errors import Kind, ProvenanceError, RequestError
from vernissage.files import open_regular, read_text, write_bytes

_KEY, _PREHASHED, _PLAIN, _CHECK = b"Ed", b"ED", b"\0\0", b"B2"
_SECRET = 2 + 2 + 2 + 32 + 8 + 8 + 8 + 64 + 32
_UNTRUSTED = "untrusted comment: "
_TRUSTED = "trusted comment: "


class SecretKey(NamedTuple):
    """A key that signs, and the number that tells it from others, 8 bytes."""

    number: bytes
    key: Ed25519PrivateKey


def make_keys(name: Path) -> tuple[Path, Path]:
    """Write a secret key NAME.key, which its owner alone can read, and its public key NAME.pub.

    Raises:
        RequestError: one of these files is there already.
        WorkspaceError: they cannot be written.
    """
    secret, public = name.with_name(f"{name.name}.key"), name.with_name(f"{name.name}.pub")
    if there := next((each for each in (secret, public) if each.exists()), None):
        raise RequestError(f"{there} is there already, and a key is never replaced; choose another name")
    made, number = Ed25519PrivateKey.generate(), secrets.token_bytes(8)
    pair = made.private_bytes_raw() + made.public_key().public_bytes_raw()
    check = hashlib.blake2b(_KEY + number + pair, digest_size=32).digest()
    content = _KEY + _PLAIN + _CHECK + bytes(48) + number + pair + check
    shown = number[::-1].hex().upper()
    write_bytes(secret, _written(f"minisign secret key {shown}", content), secret=True)
    write_bytes(public, _written(f"minisign public key {shown}", _KEY + number + pair[32:]))
    return secret, public


def sign_file(file: Path, secret: SecretKey) -> Path:
    """Sign a file as it is now; returns where the signature lies, FILE.minisig.

    Raises:
        WorkspaceError: the signature cannot be written.
    """
    number, key = secret
    signature = key.sign(_digest(file))
    comment = f"timestamp:{int(time.time())}\tfile:{file.name}\thashed"
    whole = key.sign(signature + comment.encode())
    lines = _written("signature from vernissage", _PREHASHED + number + signature)
    place = file.with_name(f"{file.name}.minisig")
    write_bytes(place, lines + f"{_TRUSTED}{comment}\n".encode() + base64.b64encode(whole) + b"\n")
    return place


def verify_file(file: Path, public: Path) -> str:
    """The trusted comment of a file's signature, FILE.minisig, if it was made with the key's secret half.

    Raises:
        RequestError: there is no signature or no key, or one is damaged.
        ProvenanceError: the file is not what was signed, or another key signed it.
    """
    place = file.with_name(f"{file.name}.minisig")
    told, known = _lines(place, "the signature"), _decoded(_lines(public, "the public key")[1:2], public)
    signed, whole = _decoded(told[1:2], place), _decoded(told[3:4], place)
    if len(known) != 42 or len(signed) != 74 or len(whole) != 64 or not told[2].startswith(_TRUSTED):
        raise RequestError(f"{place if len(known) == 42 else public} is not as minisign writes it; fetch it again")
    if signed[:2] != _PREHASHED:
        raise RequestError(f"{place} signs the bytes themselves, which is not read here; sign again with minisign -H")
    key, comment = Ed25519PublicKey.from_public_bytes(known[10:]), told[2].removeprefix(_TRUSTED)
    if signed[2:10] != known[2:10]:
        raise ProvenanceError(f"{file} was signed with another key than {public}; ask its publisher for the right one")
    try:
        key.verify(signed[10:], _digest(file))
        key.verify(whole, signed[10:] + comment.encode())
    except InvalidSignature:
        raise ProvenanceError(
            f"{file} is not what was signed: it or {place} was changed; fetch both again", kind=Kind.CONFLICT
        ) from None
    return comment


def read_secret_key(path: Path) -> SecretKey:
    """The key in a file. Raises RequestError: it holds none, or one that is damaged or has a password."""
    content = _decoded(_lines(path, "the secret key")[1:2], path)
    if len(content) != _SECRET or content[:2] != _KEY:
        raise RequestError(f"{path} is no secret key of minisign; make one with `vernissage vectors key NAME`")
    if content[2:4] != _PLAIN:
        raise RequestError(f"{path} has a password, which is not asked for here; sign with minisign itself")
    number, pair, check = content[54:62], content[62:126], content[126:]
    if hashlib.blake2b(_KEY + number + pair, digest_size=32).digest() != check:
        raise RequestError(f"{path} is damaged; restore it from a backup")
    return SecretKey(number, Ed25519PrivateKey.from_private_bytes(pair[:32]))


def _lines(path: Path, what: str) -> list[str]:
    return [*read_text(path, what, "name a file that minisign or `vernissage vectors` wrote").splitlines(), *[""] * 4]


def _decoded(lines: list[str], path: Path) -> bytes:
    try:
        return base64.b64decode(lines[0], validate=True)
    except binascii.Error:
        raise RequestError(f"{path} is not as minisign writes it; fetch it again") from None


def _digest(file: Path) -> bytes:
    try:
        with open_regular(file, 2**62) as opened:
            return hashlib.file_digest(opened, "blake2b").digest()
    except OSError as error:
        raise RequestError(f"{file} cannot be read ({error.strerror}); name the file that is signed") from error


def _written(comment: str, content: bytes) -> bytes:
    return f"{_UNTRUSTED}{comment}\n".encode() + base64.b64encode(content) + b"\n"
