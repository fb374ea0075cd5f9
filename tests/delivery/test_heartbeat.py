"""Detection of a running worker."""

import pytest
from django.utils import timezone

from notifications.delivery.heartbeat import has_live_worker
from notifications.models import Worker
from notifications.rate_limit.clock import engine_clock

pytestmark = pytest.mark.django_db


def make_worker(*, age: float, **kwargs) -> Worker:
    clock = engine_clock()
    values = {"boot_id": clock.boot_id, "heartbeat_at": timezone.now()} | kwargs
    return Worker.objects.create(name="host:1", lease=clock.now() - age, **values)


def test_without_a_worker():
    assert not has_live_worker()


@pytest.mark.parametrize(
    ("age", "is_there"),
    # From the future: the server's clock was set back since.
    [(0.0, True), (14.0, True), (16.0, False), (-3600.0, False)],
)
def test_by_its_last_report(age, is_there):
    make_worker(age=age)

    assert has_live_worker() is is_there


@pytest.mark.parametrize("gone", [{"ended_at": timezone.now()}, {"boot_id": "before"}])
def test_one_that_ended_or_was_of_another_start(gone):
    make_worker(age=0.0, **gone)

    assert not has_live_worker()


def test_it_takes_one_query(django_assert_num_queries):
    with django_assert_num_queries(1):
        has_live_worker()
