"""Reading environment variables; ``manage.py check`` reports invalid values.

An invalid value does not stop a command with a traceback: the default is used, and the
check reports the variable, its value and a hint. Values that may contain a secret are
not reported.
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
# Refuses every query, instead of using an unintended database.
NO_DATABASE = {"ENGINE": "django.db.backends.dummy"}


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """An invalid variable. ``id`` is the id of the check message, without its prefix."""

    sentence: str
    hint: str
    id: str


class Variables:
    """The environment, with a method for each type of value.

    ``NAME_FILE`` is the path of a file that contains the value of ``NAME``; a line end
    is removed. It takes precedence over ``NAME``. An empty number, boolean or path is
    treated as missing.
    """

    def __init__(self) -> None:
        self.problems: list[SettingProblem] = []

    def read_env(self, path: Path) -> None:
        """Read a ``.env`` file if it exists; the environment takes precedence."""
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
        """``key=value`` pairs separated by commas; a key may contain ``=``."""
        pairs: list[tuple[str, str]] = []
        for part in self.words(name, default=[]):
            key, _, value = (side.strip() for side in part.rpartition("="))
            if key and value:
                pairs.append((key, value))
            else:
                self._problem(
                    f"{name} has the part “{part}”, which is no pair.",
                    "Write VALUE=NAME, and commas between the pairs.",
                    "E015",
                )
        return pairs

    def boolean(self, name: str, *, default: bool) -> bool:
        return self._converted(name, default, _boolean, "on or off", "E010")

    def integer(self, name: str, default: int) -> int:
        return self._converted(name, default, int, "a whole number", "E011")

    def number(self, name: str, default: float) -> float:
        return self._converted(name, default, _number, "a number", "E011")

    def choice(self, name: str, default: str, of: Sequence[str]) -> str:
        """One of several values, in upper or lower case."""
        words = {word.lower(): word for word in of}
        what = f"one of {', '.join(of)}"
        return self._converted(name, default, partial(_choice, words), what, "E015")

    def path(self, name: str, default: Path) -> Path:
        return Path(self._raw(name) or default)

    def folder(self, name: str, default: Path) -> Path:
        """A folder, which is created where it is missing."""
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
        """The settings of a database; those of no database where the URL is invalid."""
        try:
            return _database(self._raw(name) or default)
        except (ValueError, KeyError, TypeError):
            # The value is not shown, since it may contain a password.
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
            # The bytes of a file that is not UTF-8 are not shown.
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
            self._problem(
                f"{name} is “{text}”, which is not {what}.",
                f"Use {what}; without the variable it is {_label(default)}.",
                id,
            )
            return default

    def _problem(self, sentence: str, hint: str, id: str) -> None:
        problem = SettingProblem(sentence, hint, id)
        if problem not in self.problems:
            self.problems.append(problem)


def _database(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise ValueError
    config: dict[str, Any] = environ.Env.db_url_config(url)
    return config


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in (*ON, *OFF):
        raise ValueError
    return word in ON


def _choice(words: Mapping[str, str], text: str) -> str:
    if text.lower() not in words:
        raise ValueError
    return words[text.lower()]


def _number(text: str) -> float:
    number = float(text)
    if not abs(number) < float("inf"):  # "inf" and "nan" are numbers to Python
        raise ValueError
    return number


def _label(value: object) -> object:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
