"""The envelope of WeCom's callbacks: what is signed and sealed with our key is opened, everything else is None. Never raises.

The cipher and the signature are wechatpy's; it opens whatever decrypts and compares in variable time, so every check is made here.
"""

import base64
import binascii
import hmac
import secrets

from wechatpy.crypto import _get_signature
from wechatpy.crypto.base import WeChatCipher

BLOCK = 32  # bytes of padding, twice the cipher's own block
RANDOM = 16
HEAD = RANDOM + 4  # random bytes and the length of the message
KEY_LETTERS = 43


class Envelope:
    """`receiver` is the corp's id, or empty for an AI bot, which has none."""

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        self._token = token
        self._cipher = WeChatCipher(decode_key(aes_key))
        self._receiver = receiver.encode()

    def sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        return str(_get_signature(self._token, timestamp, nonce, sealed))

    def is_signed(self, signature: str, timestamp: str, nonce: str, sealed: str) -> bool:
        """Takes the same time whatever is wrong with the signature."""
        try:
            ours = self.sign(timestamp, nonce, sealed)
            return hmac.compare_digest(ours.encode(), signature.encode())
        except UnicodeError:
            return False  # half a character

    def open(self, sealed: str) -> str | None:
        """The message, if it was sealed with our key for us."""
        try:
            body = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            return None
        if not body or len(body) % BLOCK:
            return None
        frame = _unpadded(self._cipher.decrypt(body))
        if frame is None or len(frame) < HEAD:
            return None
        end = HEAD + int.from_bytes(frame[RANDOM:HEAD], "big")
        if end > len(frame):
            return None
        if self._receiver and not hmac.compare_digest(frame[end:], self._receiver):
            return None
        try:
            return frame[HEAD:end].decode()
        except UnicodeDecodeError:
            return None

    def seal(self, message: str, *, random: bytes | None = None) -> str:
        """`random` are the sixteen bytes in front, for tests; they are drawn anew otherwise."""
        plain = message.encode()
        frame = (random or secrets.token_bytes(RANDOM)) + len(plain).to_bytes(4, "big") + plain + self._receiver
        count = BLOCK - len(frame) % BLOCK
        sealed: bytes = self._cipher.encrypt(frame + bytes([count]) * count)
        return base64.b64encode(sealed).decode()


def decode_key(aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey. Raises ValueError for one that cannot be."""
    if len(aes_key) != KEY_LETTERS or not aes_key.isalnum() or not aes_key.isascii():
        raise ValueError("an EncodingAESKey has 43 letters and digits")
    return base64.b64decode(aes_key + "=")


def _unpadded(plain: bytes) -> bytes | None:
    count = plain[-1]
    if not 1 <= count <= BLOCK or plain[-count:] != bytes([count]) * count:
        return None
    return plain[:-count]
