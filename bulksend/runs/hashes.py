"""The keyed hashes by which phones and texts stand in history: whoever has that alone can read neither."""

from __future__ import annotations

import os
import sys
import threading
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from bulksend.errors import UsageError
from bulksend.model import Recipient

_KEY_BYTES = 32
_HASH_BYTES = 8  # of ten million messages, two share one by a chance of one in 400,000


class Hashes:
    """Makes the hashes of one history.

    Args:
        key: its secret.
    """

    def __init__(self, key: bytes) -> None:
        self._number = blake2b(digest_size=_HASH_BYTES, key=key, person=b"number")
        self._contact = blake2b(digest_size=_HASH_BYTES, key=key, person=b"contact")
        self._text = blake2b(digest_size=_HASH_BYTES, key=key, person=b"text")

    def of_phones(self, recipients: Iterable[Recipient]) -> array[int]:
        """Those of phones; a contact's id has another than a number of the same digits."""
        number, contact = self._number.copy, self._contact.copy
        digests = []
        for who in recipients:
            if isinstance(who, str):
                made = number()
                made.update(who.encode())
            else:
                made = contact()
                made.update(b"%d" % who)
            digests.append(made.digest())
        return _integers(digests)

    def of_texts(self, texts: Sequence[str]) -> list[int]:
        """Those of texts, of which many may be equal."""
        different = list(dict.fromkeys(texts))
        copy = self._text.copy
        digests = []
        for text in different:
            made = copy()
            made.update(text.encode(errors="surrogatepass"))
            digests.append(made.digest())
        known = dict(zip(different, _integers(digests), strict=True))
        return [known[text] for text in texts]


def key_at(path: Path, *, is_new: bool) -> bytes:
    """The secret in a file, which is made for a new history.

    Raises:
        UsageError: it is gone.
    """
    if is_new:
        draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}")
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(fd, os.urandom(_KEY_BYTES))
            os.fsync(fd)
        finally:
            os.close(fd)
        with suppress(FileExistsError):  # somebody else was quicker
            os.link(draft, path)
        draft.unlink()
    with suppress(FileNotFoundError):
        return path.read_bytes()
    raise UsageError(
        f"{path}: the key of the history is gone, without which nobody can read who got what: put it back; or, if that "
        f"is to be forgotten, remove {path.with_suffix('.sqlite').name} beside it"
    )


def _integers(digests: Sequence[bytes]) -> array[int]:
    """Hashes as signed integers, the same on every machine."""
    made = array("q", b"".join(digests))
    if sys.byteorder == "big":
        made.byteswap()
    return made
