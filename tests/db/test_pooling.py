"""A pool between the worker and PostgreSQL that changes its sessions is refused."""

import subprocess
import sys

import pytest
from django.db import connection

from notifications.db.durability import pooling_problem
from tests.db.transaction_pool import Pool
from tests.environment import ROOT

pytestmark = pytest.mark.django_db(transaction=True)

SENTENCE = "A pool between this process and PostgreSQL changes the session"


def test_a_direct_connection():
    assert pooling_problem() == ""


def manage(env: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(  # noqa: S603  our own code
        [sys.executable, "manage.py", *arguments],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_pool_by_transactions_is_named_and_refused(process_env, size):
    if connection.vendor == "sqlite":
        return  # a file has no pool
    with Pool(process_env["DATABASE_URL"], mode="transaction", size=size) as pool:
        env = process_env | {"DATABASE_URL": through(pool)}
        checked = manage(env, "check", "--database", "default")
        worker = manage(env, "send_worker", "--until-idle")

    assert f"(notifier.W023) {SENTENCE}" in checked.stderr
    assert worker.returncode == 2
    assert worker.stderr.startswith(
        f"CommandError: The worker does not start. {SENTENCE}"
    )


def test_a_pool_by_sessions_is_as_good_as_a_direct_connection(process_env):
    if connection.vendor == "sqlite":
        return
    with Pool(process_env["DATABASE_URL"], mode="session", size=3) as pool:
        env = process_env | {"DATABASE_URL": through(pool)}
        checked = manage(env, "check", "--database", "default")

    assert "W023" not in checked.stderr
    assert checked.returncode == 0


def through(pool: Pool) -> str:
    settings = connection.settings_dict
    return f"postgres://{settings['USER']}@127.0.0.1:{pool.port}/{settings['NAME']}"
