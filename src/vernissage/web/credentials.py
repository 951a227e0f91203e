"""What only the server may know: the secret that signs, and the experimenter's password and sessions as hashes."""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from vernissage.errors import RequestError, WorkspaceError
from vernissage.files import writing

SECRET_NAME = "study.secret"  # noqa: S105  (a file's name)
PASSWORD_NAME = "study.password"  # noqa: S105  (a file's name)
SESSIONS_NAME = "study.sessions"
SHORTEST_PASSWORD = 8

_SECRET_BYTES = 32
_N, _R, _P = 2**15, 8, 3
"""The cost of scrypt as in OWASP's password storage cheat sheet: 128·N·r bytes, which are 32 MB, for each guess."""


def load_or_make_secret(folder: Path) -> bytes:
    """The secret in ``folder``, made at random by whoever needs it first; only its owner can read the file.

    Raises:
        WorkspaceError: it cannot be read or written, or is damaged.
    """
    path = folder / SECRET_NAME
    try:
        if not path.exists():
            with writing(path, secret=True, replace=False) as file:
                file.write(f"{secrets.token_hex(_SECRET_BYTES)}\n".encode())
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except OSError as error:
        raise WorkspaceError(
            f"cannot read {path}: {error.strerror or error}; make the workspace readable for whoever serves it"
        ) from error
    except ValueError:
        secret = b""
    if len(secret) < _SECRET_BYTES:
        raise WorkspaceError(f"{path} is damaged; delete it, and participants will have to open their links again")
    return secret


def set_password(folder: Path, password: str) -> None:
    """Keep the hash of the experimenter's password in ``folder``, in a file that only its owner can read.

    Raises:
        RequestError: the password is too short.
        WorkspaceError: the file cannot be written.
    """
    hashed = hash_password(password)
    with writing(folder / PASSWORD_NAME, secret=True) as file:
        file.write(f"{hashed}\n".encode())


def stored_password(folder: Path) -> str | None:
    """The hash that `set_password` kept, or None where no password was set.

    Raises:
        WorkspaceError: the file cannot be read.
    """
    path = folder / PASSWORD_NAME
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"cannot read {path} ({error}); set the password again") from error


def read_password(path: Path) -> str:
    """A password from the first line of a file. Raises RequestError: it is empty, or no text."""
    try:
        password = path.read_text("utf-8").partition("\n")[0].strip()
    except UnicodeDecodeError:
        password = ""
    if not password:
        raise RequestError(f"{path} holds no password; write one into its first line, as UTF-8")
    return password


def hash_password(password: str) -> str:
    """The password's hash by scrypt with its cost and salt, as text.

    Raises:
        RequestError: the password is shorter than 8 characters.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise RequestError(
            f"the password has {len(password)} characters; choose one of at least {SHORTEST_PASSWORD}, for example "
            f"three words that do not belong together"
        )
    salt = secrets.token_bytes(16)
    return f"scrypt${_N}${_R}${_P}${salt.hex()}${_scrypt(password, salt, _N, _R, _P).hex()}"


def is_password(password: str, hashed: str) -> bool:
    """Whether ``password`` is the one that ``hashed`` was made of, compared in constant time."""
    name, n, r, p, salt, expected = hashed.split("$")
    found = _scrypt(password, bytes.fromhex(salt), int(n), int(r), int(p))
    return name == "scrypt" and hmac.compare_digest(found, bytes.fromhex(expected))


class StoredSessions:
    """Sessions of the experimenter: a file each, named by a hash of the token, with the time at which it ends.

    Several processes may share the folder. ``clock`` is in seconds since 1970; a session lasts while it is before the
    end, so that a clock which is set back ends none.
    """

    def __init__(self, folder: Path, key: bytes, seconds: float, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._key, self._seconds, self._clock = folder / SESSIONS_NAME, key, seconds, clock

    def begin(self) -> str:
        """Begin a session; returns its token, which is kept nowhere. Sessions that are over are deleted.

        Raises:
            WorkspaceError: the folder cannot be written.
        """
        token = secrets.token_urlsafe(32)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            for file in self._folder.iterdir():
                if not self._lasts(file):
                    file.unlink(missing_ok=True)
            with writing(self._file(token), secret=True) as written:
                written.write(f"{self._clock() + self._seconds!r}\n".encode("ascii"))
        except OSError as error:
            raise WorkspaceError(f"cannot write {self._folder}: {error.strerror or error}; make it writable") from error
        return token

    def lasts(self, token: str) -> bool:
        """Whether a token is of a session that has begun and not ended."""
        return self._lasts(self._file(token))

    def end(self, token: str) -> None:
        """End a session."""
        self._file(token).unlink(missing_ok=True)

    def _lasts(self, file: Path) -> bool:
        try:
            return self._clock() < float(file.read_text("ascii"))
        except (OSError, ValueError):
            return False

    def _file(self, token: str) -> Path:
        return self._folder / hmac.new(self._key, token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=256 * n * r, dklen=32)
