"""/healthz, /readyz and /metrics: for any host, over plain HTTP, without details."""

import json
import shutil
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone

from notifications.models import TaskDeaths, Worker
from notifications.rate_limit.clock import engine_clock
from notifications.system import health as system_health
from notifications.system import machine
from tests.record.tampering import drop_guard

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TOKEN = "a-token-that-nobody-guesses-0123456789"
BY_ADDRESS = {"Host": "10.0.0.7:8000"}  # not in ALLOWED_HOSTS
ALL_PASSED = {
    "database": True,
    "disk": True,
    "static": True,
    "migrations": True,
    "guards": True,
    "durability": True,
    "worker": True,
    "threads": True,
}


@pytest.fixture
def _worker():
    clock = engine_clock()
    Worker.objects.create(
        name="w", boot_id=clock.boot_id, lease=clock.now(), heartbeat_at=timezone.now()
    )


def ready() -> tuple[int, dict[str, bool]]:
    response = Client().get("/readyz", headers=BY_ADDRESS)
    assert response["Content-Type"] == "application/json"
    return response.status_code, json.loads(response.content)


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics"])
def test_by_any_name_over_plain_http_without_a_cookie(settings, address):
    settings.SECURE_SSL_REDIRECT = True
    settings.METRICS_TOKEN = TOKEN
    headers = BY_ADDRESS | {"Authorization": f"Bearer {TOKEN}"}

    response = Client().get(address, headers=headers)

    assert response.status_code == 200
    assert not response.cookies
    assert response["Cache-Control"] == "no-store"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not {"Vary", "Content-Language"} & set(response.headers)
    assert Client().post(address, headers=headers).status_code == 405


def test_nothing_else_is_answered_over_plain_http(settings):
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get("/healthz/x").status_code == 301
    assert Client().get("/login/").status_code == 301


def test_that_it_lives_asks_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        response = Client().get("/healthz")

    assert response.content == b"ok\n"


@pytest.mark.usefixtures("_worker")
def test_ready():
    assert ready() == (200, ALL_PASSED)


def test_without_a_worker_the_pages_stay():
    assert ready() == (200, ALL_PASSED | {"worker": False})


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(("minutes_ago", "live"), [(14, False), (16, True)])
def test_a_thread_that_died_is_reported_and_the_pages_stay(minutes_ago, live):
    TaskDeaths.objects.create(
        task="sealing",
        count=1,
        last_at=timezone.now() - timedelta(minutes=minutes_ago),
        last_error="KeyError",
    )

    assert ready() == (200, ALL_PASSED | {"threads": live})


@pytest.mark.usefixtures("_worker")
def test_too_little_disk(settings):
    settings.DISK_FLOOR_MB = 10**12

    assert ready() == (503, ALL_PASSED | {"disk": False})


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize("loss", ["manifest", "entry", "file", "junk"])
def test_style_sheets_that_were_not_collected(monkeypatch, tmp_path, loss):
    name = "admin/css/base.css"
    collected, _digest = staticfiles_storage.load_manifest()
    root = shutil.copytree(settings.STATIC_ROOT, tmp_path / "static")
    storage = type(staticfiles_storage._wrapped)(location=str(root))
    monkeypatch.setattr(machine, "staticfiles_storage", storage)
    assert ready() == (200, ALL_PASSED)
    manifest = root / "staticfiles.json"
    match loss:
        case "manifest":
            manifest.unlink()
        case "entry":  # the files are of an older version
            manifest.write_text(manifest.read_text().replace(f'"{name}":', '"gone":'))
        case "file":
            (root / collected[name]).unlink()
        case "junk":
            manifest.write_text("junk")

    assert ready() == (503, ALL_PASSED | {"static": False})


@pytest.mark.usefixtures("_worker")
def test_a_guard_that_is_missing():
    drop_guard("notifier_guard_delivery_delete")

    assert ready() == (503, ALL_PASSED | {"guards": False})


@pytest.mark.usefixtures("_worker")
def test_a_migration_that_is_not_applied():
    (newest,) = MigrationLoader(connection).graph.leaf_nodes("notifications")
    MigrationRecorder(connection).record_unapplied(*newest)

    assert ready() == (503, ALL_PASSED | {"migrations": False})


@pytest.mark.usefixtures("_worker")
def test_commits_that_a_power_cut_undoes(monkeypatch):
    monkeypatch.setattr(system_health, "durability_problem", lambda: "Set it to FULL.")

    assert ready() == (503, ALL_PASSED | {"durability": False})


def test_without_a_database_nothing_else_is_tried(caplog):
    queries = []

    def fail(_execute, sql, *_args):
        queries.append(sql)
        raise OperationalError("could not connect")

    with connection.execute_wrapper(fail):
        assert ready() == (
            503,
            dict.fromkeys(ALL_PASSED, False) | {"disk": True, "static": True},
        )

    assert queries == ["SELECT 1"]
    assert caplog.messages[0] == (
        "The check “database” failed to run: could not connect"
    )


def test_results_are_cached_for_some_seconds(django_assert_num_queries):
    now = [100.0]
    readiness = system_health.Readiness(clock=lambda: now[0])
    first = readiness.checks()

    now[0] += system_health.CACHE_SECONDS - 0.1
    with django_assert_num_queries(0):
        assert readiness.checks() is first
    now[0] += 0.1
    assert readiness.checks() is not first


def test_free_bytes_are_those_of_the_disks_that_are_written_to():
    free = machine.free_bytes()

    on_sqlite = connection.vendor == "sqlite"
    assert set(free) == ({"state", "database"} if on_sqlite else {"state"})
    assert min(free.values()) > 0


# --- /metrics ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "authorization", "status"),
    [
        ("", "", 404),
        ("", "Bearer ", 404),
        (TOKEN, "", 401),
        (TOKEN, TOKEN, 401),
        (TOKEN, f"Bearer {TOKEN}x", 401),
        (TOKEN, "Bearer ünknown", 401),
        (TOKEN, f"Bearer {TOKEN}", 200),
    ],
)
def test_the_figures_ask_for_their_token(settings, token, authorization, status):
    settings.METRICS_TOKEN = token

    response = Client().get("/metrics", HTTP_AUTHORIZATION=authorization)

    assert response.status_code == status
    assert TOKEN not in response.content.decode()
    assert (b"notifier_" in response.content) == (status == 200)
    assert response.headers.get("WWW-Authenticate") == (
        "Bearer" if status == 401 else None
    )
