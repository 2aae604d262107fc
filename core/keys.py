"""The installation's keys: seals sensitive columns (Fernet, AES-128-CBC with HMAC-SHA256) and hashes telephone numbers for look-up.

The key file holds one key a line, newest first: new values are sealed with the first, all of them open. It is made at first start,
lies beside the data and never inside a backup. Lost, the sealed columns cannot be read again; everything else still can.
"""

import hashlib
import hmac
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from core.errors import ConfigError

NOT_A_KEY = "密钥文件里有一行不是密钥；每行一个，最新的在最前"


class Keyring:
    """Seals and opens texts, and makes keyed hashes. Its repr shows no key."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ConfigError(
                ["密钥文件是空的；请从备份的密钥文件恢复，或删去它让程序新建一个（已加密的内容将读不出来）"]
            )
        try:
            self._box = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ConfigError([NOT_A_KEY]) from None
        # Hashes must stay the same through a rotation, so they use the oldest key, which rotation keeps at the end.
        self._hash_key = hashlib.sha256(b"look-up" + keys[-1].encode()).digest()

    def __repr__(self) -> str:
        return "Keyring(***)"

    def seal(self, text: str) -> bytes:
        return self._box.encrypt(text.encode())

    def open(self, sealed: bytes) -> str | None:
        """The text, or None when it was sealed with a key that is lost."""
        try:
            return self._box.decrypt(sealed).decode()
        except InvalidToken:
            return None

    def reseal(self, sealed: bytes) -> bytes | None:
        """The same text sealed with the newest key, or None when it cannot be opened."""
        try:
            return self._box.rotate(sealed)
        except InvalidToken:
            return None

    def fingerprint(self, text: str) -> str:
        """A keyed hash of a telephone number or a secret token: equal texts give equal hashes, and nothing can be read back."""
        return hmac.new(self._hash_key, text.encode(), hashlib.sha256).hexdigest()


def load_or_make(path: Path) -> Keyring:
    """The keyring of `path`; made with mode 0600 when the file is not there yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, [Fernet.generate_key().decode()])
    try:
        return Keyring(path.read_text(encoding="ascii").split())
    except UnicodeDecodeError:
        raise ConfigError([NOT_A_KEY]) from None


def add_key(path: Path) -> Keyring:
    """Puts a fresh key in front; old ones go on opening what they sealed."""
    _write(path, [Fernet.generate_key().decode(), *path.read_text(encoding="ascii").split()])
    return load_or_make(path)


def _write(path: Path, keys: Sequence[str]) -> None:
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(keys) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
