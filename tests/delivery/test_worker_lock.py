"""The worker's session on PostgreSQL; on SQLite there is no lock."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from notifications.delivery import worker_lock
from notifications.delivery.recovery import LEASE_CHECKS
from notifications.models.workers import wake_workers

pytestmark = pytest.mark.django_db(transaction=True)

WORKER = 7
POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def other_session():
    """``run(function)`` in a thread with its own database session, which stays open."""
    work: list = []
    ready, leave = threading.Event(), threading.Event()
    seen: dict[str, object] = {}

    def live() -> None:
        work[0]()
        ready.set()
        leave.wait(20)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            seen["alive"] = True
        except OperationalError:
            seen["alive"] = False
        finally:
            connection.close()

    thread = threading.Thread(target=live)

    def run(function) -> None:
        work.append(function)
        thread.start()
        assert ready.wait(20)

    def end() -> bool:
        leave.set()
        thread.join()
        return bool(seen["alive"])

    yield run, end
    leave.set()


def fence_off_in_time() -> bool:
    """Retry as the worker does, until the session has ended."""
    for _n in range(200):
        with transaction.atomic():
            if worker_lock.fence_off(WORKER):
                return True
        worker_lock.wait_for_work(0.01)
    return False


def test_a_dead_workers_session_is_ended_first(other_session):
    run, end = other_session
    run(lambda: worker_lock.acquire(WORKER))

    assert fence_off_in_time()

    assert end() is not POSTGRESQL


def test_the_session_of_another_worker_is_left_alone(other_session):
    run, end = other_session
    run(lambda: worker_lock.acquire(WORKER + 1))

    assert fence_off_in_time()

    assert end()


def test_a_worker_ends_its_own_former_session(other_session):
    run, end = other_session
    run(lambda: worker_lock.acquire(WORKER))

    worker_lock.acquire(WORKER)
    worker_lock.release()

    assert end() is not POSTGRESQL


def test_work_wakes_a_resting_worker(other_session):
    worker_lock.acquire(WORKER)
    run, _end = other_session
    rested = threading.Event()

    def wake() -> None:
        with transaction.atomic():
            wake_workers()

    run(wake)
    # With a notice waiting this returns at once; without one it would take a minute.
    worker_lock.wait_for_work(60 if POSTGRESQL else 0.01)
    rested.set()
    worker_lock.release()

    assert rested.is_set()


def test_a_server_that_goes_while_a_worker_rests_is_a_database_error(other_session):
    worker_lock.acquire(WORKER)
    if not POSTGRESQL:
        worker_lock.wait_for_work(0)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    run, _end = other_session
    run(end)

    with pytest.raises(OperationalError):
        worker_lock.wait_for_work(60)
    connection.close()


def test_a_lost_network_is_an_error_before_the_lease_ends():
    """libpq would wait for minutes: for a connection, and for a lost packet."""
    if not POSTGRESQL:
        return
    connection.ensure_connection()
    parameters = connection.connection.info.get_parameters()
    reconnects_after = int(parameters["connect_timeout"])
    fails_after = int(parameters["tcp_user_timeout"]) / 1000
    dead_after = int(parameters["keepalives_idle"]) + int(
        parameters["keepalives_interval"]
    ) * int(parameters["keepalives_count"])

    assert max(reconnects_after, fails_after) < LEASE_CHECKS
    assert dead_after <= LEASE_CHECKS
