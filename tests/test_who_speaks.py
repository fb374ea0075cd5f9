"""Only the REST client, single sign-on, mail and the sandbox may use the network.

Pages open no connection either: tests/console/test_policy.py. Psycopg and Django
themselves are not checked.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.environment import ROOT

pytestmark = pytest.mark.one_database

# Prefixes of module names. ``urllib.parse`` only parses URLs.
SPEAKS = (
    *("requests", "urllib3", "urllib.request", "http.client", "http.server", "httpx"),
    *("aiohttp", "socket", "socketserver", "ssl", "smtplib", "ftplib", "poplib"),
    *("imaplib", "telnetlib", "xmlrpc", "asyncio", "django.core.mail"),
)
MAY = (
    "notifications/tencent/",
    "notifications/sandbox/",
    # Single sign-on, if it is configured.
    "notifications/access/adapters.py",
    "notifications/access/sso.py",
    "notifier_site/settings/sso.py",
    # Mail, if it is configured.
    "notifications/access/services/links.py",
)
# A started program could use the network.
STARTS = ("subprocess", "multiprocessing", "pty")
CALLS = ("os.system", "os.popen", "__import__", "importlib.import_module")


def modules() -> list[Path]:
    folders = ("notifications", "notifier_site")
    return [path for name in folders for path in (ROOT / name).rglob("*.py")]


def used(tree: ast.AST) -> Iterator[str]:
    """The full names of imported modules and of called functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def speaks(source: str) -> list[str]:
    """The names in a module that could reach the network."""
    names = (*SPEAKS, *STARTS, *CALLS)
    return [
        name
        for name in used(ast.parse(source))
        if name in names or name.startswith(tuple(f"{start}." for start in names))
    ]


def test_nobody_else_speaks():
    found = {
        str(path.relative_to(ROOT)): names
        for path in modules()
        if (names := speaks(path.read_text("utf-8")))
    }

    # Only checks whether a test is running.
    assert found.pop("notifications/management/commands/flush.py") == [
        "django.core.mail"
    ]
    assert {name for name in found if not name.startswith(MAY)} == set()
    assert all(any(name.startswith(place) for name in found) for place in MAY)


@pytest.mark.parametrize(
    "source",
    [
        "import requests",
        "import urllib.request as asked",
        "from urllib import request",
        "def page():\n    from http.client import HTTPSConnection",
        "import socket",
        "from smtplib import SMTP",
        "from django.core import mail",
        "import subprocess",
        "os.system('curl example.com')",
        "importlib.import_module('requests')",
    ],
)
def test_every_way_is_seen(source):
    assert speaks(source) != []


@pytest.mark.parametrize("source", ["from urllib.parse import quote", "import sockets"])
def test_what_only_looks_like_it_is_none(source):
    assert speaks(source) == []
