"""The sealer beside the worker."""

import pytest
from django.utils import timezone

from notifications.models import Seal, Worker
from notifications.record import sealing
from notifications.record.sealer import Sealer, seal_the_rest
from tests.factories import make_delivery, make_notification


def living_worker() -> int:
    return Worker.objects.create(
        name="w", boot_id="b", lease=0, heartbeat_at=timezone.now()
    ).pk


@pytest.mark.django_db
def test_what_is_left_is_sealed_though_another_is_faster(monkeypatch):
    make_notification(status="completed")
    tries = iter([sealing.SealedByAnother()])
    seal_ended = sealing.seal_ended

    def late(**kwargs):
        for error in tries:
            raise error
        return seal_ended(**kwargs)

    monkeypatch.setattr(sealing, "seal_ended", late)

    seal_the_rest()

    assert Seal.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_thread_seals_what_ends(monkeypatch):
    monkeypatch.setattr("notifications.record.sealer.EVERY", 0.01)
    notification = make_notification(status="completed")
    make_delivery(notification, status="accepted")
    worker = living_worker()
    sealed = sealing.seal_actions
    done = []
    monkeypatch.setattr(sealing, "seal_actions", lambda now: done.append(sealed(now)))
    sealer = Sealer(lambda: worker)
    sealer.start()

    while not done:
        sealer._stopping.wait(0.01)
    sealer.stop()

    assert Seal.objects.get().notification_id == notification.pk


@pytest.mark.django_db
def test_a_stop_ends_a_sealing_that_is_under_way():
    make_delivery(make_notification(status="completed"), status="accepted")
    worker = living_worker()
    sealer = Sealer(lambda: worker)
    sealer._stopping.set()

    sealer._seal()

    assert Seal.objects.count() == 0


@pytest.mark.django_db
def test_the_oldest_of_several_workers_seals():
    make_notification(status="completed")
    oldest, younger = living_worker(), living_worker()

    Sealer(lambda: younger)._seal()
    assert Seal.objects.count() == 0

    Sealer(lambda: oldest)._seal()
    assert Seal.objects.count() == 1
