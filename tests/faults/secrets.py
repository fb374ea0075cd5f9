"""What a run left behind is searched for the keys and for every UserSig.

A UserSig is known by what is packed in it, so it is found whichever process made it.
"""

import base64
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.environment import VARIABLES

KEYS = {name: VARIABLES[name].encode() for name in ("SECRET_KEY", "IM_SECRET_KEY")}
# Packed with zlib and written as base64, each begins so; this much of it is enough.
BEGINNING, ENOUGH = b"eJ", 120
_FROM_SIG = bytes.maketrans(b"*-_", b"+/=")


def secrets_in(folders: Iterable[Path]) -> list[str]:
    """Where a secret was found, and which: one line each."""
    return [
        f"{path}: {name}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for name in sorted(set(_named(path)))
    ]


def _named(path: Path) -> Iterator[str]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # of a server that is running
        return
    yield from (name for name, key in KEYS.items() if key in data)
    for found in re.finditer(BEGINNING, data):
        start = found.start()
        # In an address the asterisks are written as %2A.
        text = data[start : start + 3 * ENOUGH].replace(b"%2A", b"*")[:ENOUGH]
        if _is_user_sig(text):
            yield "a UserSig"


def _is_user_sig(text: bytes) -> bool:
    try:
        packed = base64.b64decode(text.translate(_FROM_SIG), validate=True)
        return b"TLS." in zlib.decompressobj().decompress(packed)
    except (ValueError, zlib.error):
        return False
