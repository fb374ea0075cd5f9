"""Whoever gets past the guards is found: verification names the row that differs."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from notifications.models import AuditEntry, Delivery, Notification
from notifications.record import queries as record_queries
from notifications.record import sealing
from notifications.record.guards import install as guards_install
from notifications.record.verification import Verification, verify
from tests.factories import MOMENT, make_attempt, make_delivery, make_notification
from tests.record.tampering import WAYS, Scene, Way, edit

pytestmark = pytest.mark.django_db

SEED = 4
COUNT = 120  # each way at least once, then by chance


def ended(number: int) -> Notification:
    row = make_notification(
        status="completed",
        content=f"Notice {number} 通知",
        note=f"CM-{number}",
        sent_at=MOMENT + timedelta(seconds=number),
    )
    for status, outcome in (
        ("accepted", "accepted"),
        ("failed", "rejected"),
        ("unconfirmed", "unconfirmed"),
        ("accepted", "accepted"),
    ):
        delivery = make_delivery(row, status=status)
        make_attempt(delivery, outcome=outcome, worker=delivery.pk)
        if outcome == "accepted":
            make_attempt(delivery, outcome="not_sent")
    make_delivery(row, status="cancelled")
    return row


@pytest.fixture
def scene(tmp_path) -> Scene:
    archived = [ended(number) for number in range(2)]
    sealing.seal_ended()
    call_command(
        "archive_history", "--before", "2026-03-03", "--to", str(tmp_path), verbosity=0
    )
    for number in range(4):
        AuditEntry.objects.create(
            action="sent",
            actor=f"person {number}",
            at=MOMENT + timedelta(hours=number),
            notification_number=number,
            detail={"groups": number},
        )
    sealing.seal_actions(MOMENT + timedelta(days=2))
    kept = [ended(number) for number in range(2, 5)]
    sealing.seal_ended()
    return Scene(random.Random(SEED), tmp_path, kept, archived)


def found_in(scene: Scene, head: str) -> Verification:
    return verify(expect=head, archive=scene.folder)


def ways() -> Iterator[Way]:
    chance = random.Random(SEED)
    yield from WAYS
    for _n in range(COUNT - len(WAYS)):
        yield chance.choice(WAYS)


def tampered(scene: Scene, way: Way, head: str) -> tuple[Sequence[str], Sequence[str]]:
    """What must be said and what was said; the rows and the files are put back."""
    files: dict[Path, bytes] = {p: p.read_bytes() for p in scene.folder.iterdir()}
    with transaction.atomic():
        said = way(scene)
        differences = found_in(scene, head).differences
        transaction.set_rollback(True)
    for path, data in files.items():
        path.write_bytes(data)
    return said, differences


def test_every_tampering_is_found_and_named(scene):
    head = record_queries.head()
    assert found_in(scene, head).differences == []
    overlooked = []

    with guards_install.guards_disabled():
        for number, way in enumerate(ways()):
            said, differences = tampered(scene, way, head)
            text = "\n".join(differences)
            if not all(sentence in text for sentence in said):
                overlooked.append((number, way.__name__, said, differences))

    assert overlooked == []
    # The last was put back as well: what was found was the tampering.
    assert found_in(scene, head).differences == []


def test_a_file_that_is_gone_cannot_be_told(scene):
    (scene.folder / f"notification-{scene.archived[0].pk}.jsonl.gz").unlink()

    with pytest.raises(FileNotFoundError):
        verify(archive=scene.folder)


def test_what_is_not_sealed_yet_is_called_so(scene):
    """An edit there cannot be seen: it is counted as unsealed, not vouched for."""
    tail = ended(9)
    before = verify()
    with guards_install.guards_disabled():
        edit(Delivery.objects.filter(notification=tail).first(), error_info="edited")

    found = verify()

    assert (found.differences, found.unsealed) == ([], 1)
    assert (found.seals, found.rows) == (before.seals, before.rows)
