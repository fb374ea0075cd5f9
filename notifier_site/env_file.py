"""Reading a ``.env`` file, and what is wrong with it."""

import re
from dataclasses import dataclass
from pathlib import Path

# The lines that django-environ understands.
LINE = re.compile(r"(export )?[A-Za-z_0-9]+=.*|#.*|")


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """An invalid variable. ``id`` is the id of the check message, without its prefix."""

    sentence: str
    hint: str
    id: str


def read(path: Path) -> tuple[list[str], list[SettingProblem]]:
    """The usable lines of the file, none if it does not exist, and the problems."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], []
    except OSError as error:
        problem = SettingProblem(
            f"{path} cannot be read: {error.strerror}.",
            "Make it a file that this user may read, or remove it.",
            "E016",
        )
        return [], [problem]
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        return [], [_wrong_encoding(path, content, error.start)]
    if b"\0" in content:  # UTF-16, which may be valid UTF-8
        return [], [_wrong_encoding(path, content, content.index(b"\0"))]
    problems = [
        # The line is not shown, since it may contain a secret.
        SettingProblem(
            f"{path}, line {number}, is not NAME=VALUE and was ignored.",
            "Write NAME=VALUE without blanks before the value; a comment is a line that "
            "begins with #.",
            "E019",
        )
        for number, line in enumerate(lines, start=1)
        if not LINE.fullmatch(line)
    ]
    return [line for line in lines if LINE.fullmatch(line)], problems


def _wrong_encoding(path: Path, content: bytes, position: int) -> SettingProblem:
    line = content[:position].count(b"\n") + 1
    return SettingProblem(
        f"{path}, line {line}, is not UTF-8: no setting was read from the file.",
        "Save the file as UTF-8, for example with iconv -f GB18030 -t UTF-8.",
        "E016",
    )
