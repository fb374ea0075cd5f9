"""Shared fixtures. Rows: tests/factories.py; variables: tests/environment.py.

Fixtures:
    sandbox        a running sandbox, to which the settings point
    process_env    the environment of a command that runs in its own process
    has_mail       mail is configured, and in ``mail.outbox`` after a commit
    log_in         ``log_in(user)`` returns a test client with that user logged in

Autouse fixtures: English, cheap password hashes, collected static files, no requests
counted and no progress shared yet; the order of locks in tests with ``transaction=True``.
"""

import os
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any

import hypothesis
import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import translation

from notifications.access.services import links
from notifications.console import request_counts
from notifications.delivery import requests
from notifications.delivery.shared_progress import SHARED
from notifications.management.commands.send_worker import HANDLERS
from notifications.sandbox.server import SandboxServer
from tests.environment import STATE_DIR
from tests.factories import prove
from tests.lock_order import collected_faults

# No deadline (the machine may be busy) and no examples stored between runs.
hypothesis.settings.register_profile("notifier", deadline=None, database=None)
hypothesis.settings.load_profile("notifier")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if a test skips itself, because it has tested nothing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Use an SQLite file, not memory, so that threads and processes can share it."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database.setdefault("TEST", {})["NAME"] = str(STATE_DIR / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _static_files() -> None:
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def _every_test_alike(settings: LazySettings) -> Iterator[None]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Otherwise each test client scans all static files, a third of the time of the
    # tests of pages.
    settings.WHITENOISE_AUTOREFRESH = True
    (STATE_DIR / request_counts.FILE).unlink(missing_ok=True)
    SHARED.clear()  # the same numbers are used again
    # On PostgreSQL the tests own their database, which the checks would report.
    settings.CONNECTS_AS_OWNER = True
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _order_of_locks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Other tests are one transaction, which has all locks of several actions."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        yield
        return
    with collected_faults() as faults:
        yield
    assert not faults


@pytest.fixture
def log_in() -> Callable[[User], Client]:
    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        prove(client)
        return client

    return client_of


@pytest.fixture
def worker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that waits for an answer of the worker gets it in this process."""
    monkeypatch.setattr(requests, "wait", lambda: requests.answer_waiting(HANDLERS))


@pytest.fixture
def has_mail(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAIL_IS_CONFIGURED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"

    class AtOnce(Thread):
        def start(self) -> None:
            self.run()

    monkeypatch.setattr(links, "Thread", AtOnce)


@pytest.fixture
def process_env(settings: LazySettings) -> dict[str, str]:
    """``os.environ`` with the test's database and endpoint.

    For tests with ``transaction=True``, because processes see committed rows only.
    """
    return os.environ | {
        "DATABASE_URL": _url_of(connection.settings_dict),
        "IM_BASE_URL": settings.IM_BASE_URL,
    }


def _url_of(database: dict[str, Any]) -> str:
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


@pytest.fixture
def sandbox(settings: LazySettings) -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        settings.IM_BASE_URL = server.url
        yield server
