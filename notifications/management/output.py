"""Where a command's file goes: standard output, or a path."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .base import refusal


def deliver(pieces: Iterable[bytes], path: Path | None, stdout: Any) -> None:
    """Write all of it. Raises ``CommandError`` when the file cannot be written.

    Under another name until it is whole: no half file is left for a whole one.
    """
    if path is None:
        for piece in pieces:
            stdout.write(piece.decode(), ending="")
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.writelines(pieces)
        partial.replace(path)
    except OSError as error:
        raise refusal(error) from None
