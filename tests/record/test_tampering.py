"""Verification names the row that differs after tampering with disabled guards."""

import random
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction

from notifications.models import AuditEntry, Delivery, Notification
from notifications.record import queries as record_queries
from notifications.record.guards import install as guards_install
from notifications.record.trail import seal_trail
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_notification,
    make_query,
    make_sent_entry,
    seal_ended,
)
from tests.record.tampering import TAMPERINGS, Scene, Tampering, edit

pytestmark = pytest.mark.django_db

SEED = 4
COUNT = 120  # each tampering at least once, then at random


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
        if outcome == "unconfirmed":
            make_query(delivery, verdict="present")
    make_delivery(row, status="cancelled")
    return row


@pytest.fixture
def scene(tmp_path) -> Scene:
    archived = [ended(number) for number in range(2)]
    seal_ended()
    call_command(
        "archive_history", "--before", "2026-03-03", "--to", str(tmp_path), verbosity=0
    )
    for number in range(4):
        AuditEntry.objects.create(
            action="paused",
            actor=f"person {number}",
            at=MOMENT + timedelta(hours=number),
            notification_number=number,
            detail={"groups": number},
        )
    stored = [ended(number) for number in range(2, 5)]
    for row in stored:
        make_sent_entry(row)
    seal_trail()
    seal_ended()
    return Scene(random.Random(SEED), tmp_path, stored, archived)


def differences_in(scene: Scene, head: str) -> list[str]:
    return verify(expect=head, archive=scene.folder).differences


def tampered(
    scene: Scene, tampering: Tampering, head: str
) -> tuple[list[str], list[str]]:
    """The expected and the reported differences; restores the rows and the files."""
    files: dict[Path, bytes] = {p: p.read_bytes() for p in scene.folder.iterdir()}
    with transaction.atomic():
        with guards_install.guards_disabled():
            expected = tampering(scene)
        differences = differences_in(scene, head)
        transaction.set_rollback(True)
    for path, data in files.items():
        path.write_bytes(data)
    return expected, differences


def test_every_tampering_is_found_and_named(scene):
    head = record_queries.head()
    assert differences_in(scene, head) == []
    more = random.Random(SEED).choices(TAMPERINGS, k=COUNT - len(TAMPERINGS))
    overlooked = []

    for number, tampering in enumerate([*TAMPERINGS, *more]):
        expected, differences = tampered(scene, tampering, head)
        text = "\n".join(differences)
        if not all(sentence in text for sentence in expected):
            overlooked.append((number, tampering.__name__, expected, differences))

    assert overlooked == []
    # Everything was restored: the differences came from the tampering.
    assert differences_in(scene, head) == []


def test_a_missing_file_cannot_be_verified(scene):
    (scene.folder / f"notification-{scene.archived[0].pk}.jsonl.gz").unlink()

    verification = verify(archive=scene.folder)

    assert (verification.differences, verification.archived) == ([], 1)


def test_what_is_not_sealed_yet_is_counted_as_unsealed(scene):
    """An edit of such a row cannot be detected."""
    unsealed = ended(9)
    make_sent_entry(unsealed)
    before = verify()
    with guards_install.guards_disabled():
        edit(
            Delivery.objects.filter(notification=unsealed).first(), error_info="edited"
        )

    after = verify()

    assert (after.differences, after.unsealed) == ([], 1)
    assert (after.seals, after.rows) == (before.seals, before.rows)
