"""Converting the texts of variables; each function raises ``ValueError``."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import environ

ON = ("true", "on", "yes", "y", "ok", "1")
OFF = ("false", "off", "no", "n", "0")
MAIL_SCHEMES = ("smtp", "smtp+tls", "smtp+ssl", "smtps", "consolemail")

DATABASE_SCHEMES = ("postgres", "postgresql")
# Names of the languages of the pages, as systems and browsers write them.
LANGUAGES = {
    **dict.fromkeys(("en", "en-us", "en-gb"), "en"),
    **dict.fromkeys(("zh", "zh-cn", "zh-sg", "zh-hans", "zh-hans-cn"), "zh-hans"),
}
ZONES = Path("/usr/share/zoneinfo")
_HOST = r"(\[[0-9a-fA-F:.]+\]|[0-9a-zA-Z_-]+(\.[0-9a-zA-Z_-]+)*)"
HOST = re.compile(rf"\*|\.?{_HOST}\.?")
NAME = re.compile(r"[a-z][a-z0-9]{0,19}")
ORIGIN = re.compile(rf"https?://(\*\.)?{_HOST}(:[0-9]{{1,5}})?")


def visible(text: str) -> str:
    """A value in a message: one short line, with escapes for what cannot be printed."""
    line = "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode()
        for sign in text
    )
    return line if len(line) <= 100 else f"{line[:100]}…"


def is_one_line(text: str) -> bool:
    """Whether a text has neither blanks at its ends nor signs that are not printed."""
    return text.isprintable() and text == text.strip()


class Secret(str):
    """A text whose ``repr`` hides it: ``diffsettings``, tracebacks, a Python shell."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({'…' if self else ''})"


class Unusable(ValueError):
    """Why a database cannot be used; continues the sentence "DATABASE_URL …"."""


def database(url: str) -> dict[str, Any]:
    if not is_one_line(url):
        raise Unusable("begins or ends with a blank, or holds a line break")
    if url.lower().startswith("sqlite:"):
        return _sqlite(url)
    if urlsplit(url).scheme not in DATABASE_SCHEMES:
        raise ValueError
    config: dict[str, Any] = environ.Env.db_url_config(url)
    config["PASSWORD"] = Secret(config["PASSWORD"])
    # Such as sslpassword: what follows ? in the URL.
    options = config.get("OPTIONS", {})
    options |= {name: Secret(options[name]) for name in options if "password" in name}
    if not config["NAME"] and "service" not in config.get("OPTIONS", {}):
        raise Unusable("holds no name of a database: it ends with /NAME")
    try:
        import psycopg  # noqa: F401, PLC0415  only for this database
    except ImportError as error:
        reason = str(error).partition("\n")[0]
        raise Unusable(
            f"names PostgreSQL, whose driver psycopg cannot be loaded: {reason}"
        ) from None
    return config


def mail(url: str) -> dict[str, Any]:
    """The settings of a mail server, or of the standard output (``consolemail://``)."""
    parts = urlsplit(url)
    if not is_one_line(url) or parts.scheme not in MAIL_SCHEMES:
        raise ValueError
    if parts.scheme != "consolemail" and not parts.hostname:
        raise ValueError
    config: dict[str, Any] = environ.Env.email_url_config(url)
    return config


def _sqlite(url: str) -> dict[str, Any]:
    """The settings of a file; a database in memory would lose everything."""
    parts = urlsplit(url)
    path = Path(unquote(parts.path[1:]))
    if not url.lower().startswith("sqlite:////"):
        raise Unusable("names no absolute path of an SQLite file, which has four /")
    if parts.query or parts.fragment:
        raise Unusable("holds a ? or #; in a path write %3F and %23")
    if os.path.isdir(path) or not os.path.isdir(path.parent):
        raise Unusable(
            f"names the SQLite file “{visible(str(path))}”, whose folder does not exist "
            "or which is itself a folder"
        )
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}


def is_unicode(text: str) -> bool:
    """Whether a variable was UTF-8: Python keeps other bytes as lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def time_zone(text: str) -> str:
    """Raises ``ValueError`` for a zone that Django would not start with."""
    try:
        ZoneInfo(text)
        is_known = not ZONES.exists() or (ZONES / text).exists()
    except (KeyError, OSError) as error:
        raise ValueError from error
    if not is_known:
        raise ValueError
    return text


def boolean(text: str) -> bool:
    word = text.lower()
    if word not in (*ON, *OFF):
        raise ValueError
    return word in ON


def choice(words: Mapping[str, str], text: str) -> str:
    """The value of a word, in upper or lower case, with - or _."""
    word = text.lower().replace("_", "-")
    if word not in words:
        raise ValueError
    return words[word]


def integer(text: str) -> int:
    # int() also accepts other digits and 1_000.
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError
    return int(text)


def number(text: str) -> float:
    if not text.isascii() or "_" in text:
        raise ValueError
    number = float(text)
    if not abs(number) < float("inf"):  # "inf" and "nan" are numbers to Python
        raise ValueError
    return number
