"""Reading environment variables: what cannot be read is kept for ``manage.py check``.

A variable that is no number stops no command with a traceback: the default is used
meanwhile, and the check names the variable, its value and what to do. Values that may
hold a secret are never repeated.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import environ

T = TypeVar("T")

ON = ("true", "on", "yes", "y", "ok", "1")
OFF = ("false", "off", "no", "n", "0")
DATABASE_SCHEMES = ("sqlite", "postgres", "postgresql")
# Refuses every query: better than a database that nobody meant.
NO_DATABASE = {"ENGINE": "django.db.backends.dummy"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A variable that could not be used. ``id`` is the check's, without its prefix."""

    sentence: str
    hint: str
    id: str


class Variables:
    """The environment, each kind of value with its own method.

    ``NAME_FILE`` names a file that holds the value of ``NAME``, without the line end
    behind it, and wins over ``NAME``. An empty number, switch or path is as none.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read_env(self, path: Path) -> None:
        """Read a ``.env`` file, where there is one; the environment wins over it."""
        environ.Env.read_env(path)

    def text(self, name: str, default: str) -> str:
        text = self._raw(name)
        return default if text is None else text

    def words(self, name: str, default: Sequence[str]) -> list[str]:
        """Parts separated by commas."""
        text = self._raw(name)
        if text is None:
            return [*default]
        return [part.strip() for part in text.split(",") if part.strip()]

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """``value=name`` parts separated by commas; a value may hold ``=`` itself."""
        found: list[tuple[str, str]] = []
        for part in self.words(name, default=[]):
            value, _, meant = (side.strip() for side in part.rpartition("="))
            if value and meant:
                found.append((value, meant))
            else:
                self._problem(
                    f"{name} has the part “{part}”, which is no pair.",
                    "Write VALUE=NAME, and commas between the pairs.",
                    "E015",
                )
        return found

    def switch(self, name: str, *, default: bool) -> bool:
        return self._converted(name, default, _switch, "on or off", "E010")

    def whole(self, name: str, default: int) -> int:
        return self._converted(name, default, int, "a whole number", "E011")

    def number(self, name: str, default: float) -> float:
        return self._converted(name, default, _number, "a number", "E011")

    def choice(self, name: str, default: str, of: Sequence[str]) -> str:
        """One of some words, in capitals or not."""
        words = {word.lower(): word for word in of}
        what = f"one of {', '.join(of)}"
        return self._converted(name, default, partial(_chosen, words), what, "E015")

    def path(self, name: str, default: Path) -> Path:
        return Path(self._raw(name) or default)

    def folder(self, name: str, default: Path) -> Path:
        """A folder, made where it is missing."""
        path = self.path(name, default)
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._problem(
                f"{name} is “{path}”, where no folder can be made: {error.strerror}.",
                "Give the path of a folder that this user may write to.",
                "E014",
            )
        return path

    def database(self, name: str, default: str) -> dict[str, Any]:
        """The settings of a database; of none where the address cannot be read."""
        try:
            return _database(self._raw(name) or default)
        except (ValueError, KeyError, TypeError):
            # The value is not shown, since it may hold a password.
            self._problem(
                f"{name} is no address of a database.",
                "Use postgres://USER:PASSWORD@HOST/NAME or sqlite:////PATH. Write "
                "signs such as @ / : # % in a password as %40 %2F %3A %23 %25.",
                "E013",
            )
            return {**NO_DATABASE}

    def _raw(self, name: str) -> str | None:
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return os.environ.get(name)
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            # Of a text that is no UTF-8 only its kind is told, not its bytes.
            reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
            self._problem(
                f"{name}_FILE is “{path}”, which cannot be read: {reason}.",
                f"Give the path of a file that holds {name}, or set {name} itself.",
                "E012",
            )
            return None

    def _converted(
        self, name: str, default: T, convert: Callable[[str], T], what: str, id: str
    ) -> T:
        text = (self._raw(name) or "").strip()
        if not text:
            return default
        try:
            return convert(text)
        except ValueError:
            shown = default if not isinstance(default, bool) else _word(default)
            self._problem(
                f"{name} is “{text}”, which is not {what}.",
                f"Use {what}; without the variable it is {shown}.",
                id,
            )
            return default

    def _problem(self, sentence: str, hint: str, id: str) -> None:
        problem = Problem(sentence, hint, id)
        if problem not in self.problems:
            self.problems.append(problem)


def _database(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise ValueError
    found: dict[str, Any] = environ.Env.db_url_config(url)
    return found


def _switch(text: str) -> bool:
    word = text.lower()
    if word not in (*ON, *OFF):
        raise ValueError
    return word in ON


def _chosen(words: Mapping[str, str], text: str) -> str:
    if text.lower() not in words:
        raise ValueError
    return words[text.lower()]


def _number(text: str) -> float:
    number = float(text)
    if not abs(number) < float("inf"):  # "inf" and "nan" are numbers to Python
        raise ValueError
    return number


def _word(value: bool) -> str:
    return "on" if value else "off"
