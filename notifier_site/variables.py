"""Reading environment variables; ``manage.py check`` reports invalid values.

An invalid value does not stop a command with a traceback: the default is used, and the
check reports the variable, its value and a hint. Values that may contain a secret are
not reported.
"""

import io
import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import environ

from notifier_site import env_file, values
from notifier_site.env_file import SettingProblem
from notifier_site.values import Secret, visible

T = TypeVar("T")

# Refuses every query, instead of using an unintended database.
NO_DATABASE = {"ENGINE": "django.db.backends.dummy"}

# Problems for which no default helps: no database, no folder, an unreadable .env file.
# Every command but ``check``, and the web process, refuse to start.
FATAL = ("E013", "E014", "E016")


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
        lines, problems = env_file.read(path)
        self.problems += problems
        environ.Env.read_env(io.StringIO("\n".join(lines)))

    def text(self, name: str, default: str) -> str:
        text = self._raw(name)
        return default if text is None else text

    def secret(self, name: str) -> Secret:
        """A text that may be or contain a secret; empty by default."""
        return Secret(self.text(name, default=""))

    def secrets(self, name: str) -> list[str]:
        """Secrets separated by commas."""
        return [Secret(word) for word in self.words(name, default=[])]

    def words(self, name: str, default: Sequence[str]) -> list[str]:
        """Parts separated by commas."""
        parts = [part.strip() for part in (self._raw(name) or "").split(",")]
        return [part for part in parts if part] or [*default]

    def hosts(self, name: str, default: Sequence[str]) -> list[str]:
        """Host names; without those that Django would never match."""
        hint = (
            "Write names or addresses such as notifier.example.com or [::1], without "
            "https://, port and path, and commas between them."
        )
        return self._matching(name, default, values.HOST, "a host name", hint, "E017")

    def names(self, name: str) -> list[str]:
        """Names that are a part of other variables and of addresses."""
        hint = "Write short names such as keycloak, of the letters a to z and digits."
        return self._matching(name, [], values.NAME, "a short name", hint, "E017")

    def origins(self, name: str) -> list[str]:
        """Addresses of a scheme and a host; without those that Django never matches."""
        hint = (
            "Write addresses such as https://notifier.example.com, with a port if it is "
            "not the usual one, without a path or a / at the end."
        )
        return self._matching(name, [], values.ORIGIN, "an origin", hint, "E018")

    def _matching(
        self,
        name: str,
        default: Sequence[str],
        pattern: re.Pattern[str],
        what: str,
        hint: str,
        id: str,
    ) -> list[str]:
        words = self.words(name, default)
        for word in words:
            if not pattern.fullmatch(word):
                self._problem(
                    f"{name} has the part “{visible(word)}”, which is not {what}.",
                    hint,
                    id,
                )
        return [word for word in words if pattern.fullmatch(word)]

    def pairs(self, name: str) -> list[tuple[str, str]]:
        """``key=value`` pairs separated by commas; a key may contain ``=``."""
        pairs: list[tuple[str, str]] = []
        for part in self.words(name, default=[]):
            key, _, value = (side.strip() for side in part.rpartition("="))
            if key and value:
                pairs.append((key, value))
            else:
                self._problem(
                    f"{name} has the part “{visible(part)}”, which is no pair.",
                    "Write VALUE=NAME, and commas between the pairs.",
                    "E015",
                )
        return pairs

    def boolean(self, name: str, *, default: bool) -> bool:
        return self._converted(name, default, values.boolean, "on or off", "E010")

    def integer(self, name: str, default: int) -> int:
        return self._converted(name, default, values.integer, "a whole number", "E011")

    def number(self, name: str, default: float) -> float:
        return self._converted(name, default, values.number, "a number", "E011")

    def choice(self, name: str, default: str, of: Sequence[str]) -> str:
        """One of several values, in upper or lower case, with - or _."""
        words = {word.lower().replace("_", "-"): word for word in of}
        what = f"one of {', '.join(of)}"
        return self._converted(
            name, default, partial(values.choice, words), what, "E015"
        )

    def language(self, name: str, default: str) -> str:
        """The language of the pages; simplified Chinese also as zh, zh-CN, zh_CN."""
        convert = partial(values.choice, values.LANGUAGES)
        what = "a language of the pages"
        hint = "Use en, or zh-hans, which may be written zh, zh-CN or zh_CN."
        return self._converted(
            name, default, convert, what, "E003", strip=False, hint=hint
        )

    def time_zone(self, name: str, default: str) -> str:
        what = "a known time zone"
        hint = (
            "Use a name such as UTC, Asia/Shanghai (the zone of all of China) or "
            "Europe/Berlin, in this spelling."
        )
        return self._converted(
            name, default, values.time_zone, what, "E002", strip=False, hint=hint
        )

    def path(self, name: str, default: Path) -> Path:
        text = self._raw(name) or ""
        if not values.is_one_line(text) or text.startswith(("~", '"', "'", "“")):
            self._problem(
                f"{name} is “{visible(text)}”, which begins or ends with a blank, begins "
                "with a quotation mark or ~, or holds signs that are not printed.",
                "Give the path as it is, without quotation marks.",
                "E014",
            )
            return default
        return Path(text or default)

    def folder(self, name: str, default: Path) -> Path:
        """A folder, which is created where it is missing."""
        path = self.path(name, default).absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self._problem(
                f"{name} is “{visible(str(path))}”, where no folder can be made: "
                f"{error.strerror}.",
                "Give the path of a folder that this user may write to.",
                "E014",
            )
        return path

    def mail(self, name: str) -> dict[str, Any]:
        """The settings of a mail server; empty without the variable."""
        url = self._raw(name) or ""
        if not url:
            return {}
        try:
            return values.mail(url)
        except ValueError:
            # The value is not shown, since it may contain a password.
            self._problem(
                f"{name} is no address of a mail server.",
                "Write smtp+tls://USER:PASSWORD@HOST:587, smtp+ssl://USER:PASSWORD@HOST:465 "
                "or smtp://HOST:25, with signs such as @ and / in the password as %40 "
                "and %2F.",
                "E020",
            )
            return {}

    def database(self, name: str, default: str) -> dict[str, Any]:
        """The settings of a database; those of no database where the URL is invalid."""
        try:
            return values.database(self._raw(name) or default)
        except values.Unusable as error:
            problem = str(error)
        except (ValueError, KeyError, TypeError):
            problem = "is no address of a database"
        # The value is not shown, since it may contain a password.
        self._problem(
            f"{name} {problem}.",
            "Use postgres://USER:PASSWORD@HOST/NAME or sqlite:////PATH. Write "
            "signs such as @ / : # % in a password as %40 %2F %3A %23 %25.",
            "E013",
        )
        return {**NO_DATABASE}

    def _raw(self, name: str) -> str | None:
        path = os.environ.get(f"{name}_FILE")
        if not path:
            text = os.environ.get(name)
            if text is None or values.is_unicode(text):
                return text
            self._problem(
                f"{name} is not UTF-8 text and was ignored.",
                f"Write {name} in UTF-8.",
                "E012",
            )
            return None
        try:
            return Path(path).read_text("utf-8").rstrip("\r\n")
        except (OSError, ValueError) as error:
            # The bytes of a file that is not UTF-8 are not shown.
            reason = error.strerror if isinstance(error, OSError) else "no UTF-8 text"
            self._problem(
                f"{name}_FILE is “{visible(path)}”, which cannot be read: {reason}.",
                f"Give the path of a file that holds {name}, or set {name} itself.",
                "E012",
            )
            return None

    def _converted(
        self,
        name: str,
        default: T,
        convert: Callable[[str], T],
        what: str,
        id: str,
        *,
        strip: bool = True,
        hint: str = "",
    ) -> T:
        text = self._raw(name) or ""
        if strip:
            text = text.strip()
        if not text:
            return default
        try:
            return convert(text)
        except ValueError:
            self._problem(
                f"{name} is “{visible(text)}”, which is not {what}.",
                hint or f"Use {what}; without the variable it is {_label(default)}.",
                id,
            )
            return default

    def _problem(self, sentence: str, hint: str, id: str) -> None:
        problem = SettingProblem(sentence, hint, id)
        if problem not in self.problems:
            self.problems.append(problem)


def _label(value: object) -> object:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value
