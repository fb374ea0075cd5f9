"""Search the files that a run left behind for the keys and for every UserSig.

A UserSig is recognised by its decoded content, whichever process created it.
"""

import base64
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.environment import VARIABLES

KEYS = {name: VARIABLES[name].encode() for name in ("SECRET_KEY", "IM_SECRET_KEY")}
# Every zlib-compressed, base64-encoded signature begins with these characters.
BEGINNING, ENOUGH = b"eJ", 120
_FROM_SIG = bytes.maketrans(b"*-_", b"+/=")


def secrets_in(folders: Iterable[Path]) -> list[str]:
    """One line per secret: its place and its kind."""
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
    except FileNotFoundError:  # deleted by a running server
        return
    yield from (name for name, key in KEYS.items() if key in data)
    for found in re.finditer(BEGINNING, data):
        start = found.start()
        # URLs encode asterisks as %2A.
        text = data[start : start + 3 * ENOUGH].replace(b"%2A", b"*")[:ENOUGH]
        if _is_user_sig(text):
            yield "a UserSig"


def _is_user_sig(text: bytes) -> bool:
    try:
        packed = base64.b64decode(text.translate(_FROM_SIG), validate=True)
        return b"TLS." in zlib.decompressobj().decompress(packed)
    except (ValueError, zlib.error):
        return False
