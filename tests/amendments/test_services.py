"""Recalls and corrections, through the service, the worker and the sandbox."""

import pytest
from django.core.exceptions import ValidationError

from notifications.amendments.messages import Part
from notifications.amendments.services import Order, correct, recall
from notifications.models import AuditEntry, Delivery, Notification
from tests.amendments.conftest import GROUPS, make_sending, work

pytestmark = pytest.mark.django_db(transaction=True)

S = Delivery.Status
REASON = "wrong date"


def results(run: Notification) -> dict[str, tuple[str, int | None, str]]:
    return {
        row.group_id: (row.status, row.error_code, row.reason)
        for row in run.deliveries.all()
    }


def test_a_recall_takes_the_message_back_from_every_group(manager, sent, states):
    run = recall(manager, sent.pk, reason=f"  {REASON}\n").run
    work()
    run.refresh_from_db()

    assert results(run) == dict.fromkeys(GROUPS, (S.ACCEPTED, 0, ""))
    assert states() == dict.fromkeys(GROUPS, "")
    assert (run.status, run.content, run.amends) == ("completed", REASON, sent)
    entry = AuditEntry.objects.get(action="recalled")
    assert entry.detail == {
        "channel": "recall",
        "of": sent.pk,
        "groups": 3,
        "deliveries": 3,
        "left_out_count": 0,
        "left_out_reasons": {},
        "reason": REASON,
    }


def test_the_newest_message_is_taken_back_first_by_default(manager, sent):
    ids = list(sent.deliveries.order_by("pk").values_list("pk", flat=True))
    for newest_first, expected in ((True, ids[::-1]), (False, ids)):
        order = Order(newest_first=newest_first)
        run = recall(manager, sent.pk, reason=REASON, order=order).run
        rows = run.deliveries.order_by("not_before", "pk")
        assert list(rows.values_list("amended_delivery", flat=True)) == expected
        # Otherwise the second one would find nothing to take back.
        run.deliveries.update(status=S.CANCELLED, finished_at=run.created_at)


def test_a_recall_of_a_part(manager, sent, sandbox, states):
    run = recall(manager, sent.pk, reason=REASON, part=Part(types=["Public"])).run
    work()

    assert results(run) == {"plaza": (S.ACCEPTED, 0, "")}
    assert states() == {"plaza": "", "hikers": sent.content, "live": sent.content}
    with pytest.raises(ValidationError, match="1 · taken back already"):
        recall(manager, sent.pk, reason=REASON, part=Part(types=["Public"]))


def test_what_was_not_called_yet_is_stopped_and_not_taken_back(
    manager, sandbox, settings, tmp_path
):
    settings.STATE_DIR = tmp_path
    original = make_sending(sandbox)

    started = recall(manager, original.pk, reason=REASON)

    original.refresh_from_db()
    assert (started.run, started.was_stopped) == (None, True)
    assert original.status == "cancelled"


def test_a_correction_replaces_the_text(manager, sent, states):
    run = correct(manager, sent.pk, content="Maintenance tomorrow from 23:00.")
    work()

    new = "Maintenance tomorrow from 23:00."
    assert states() == {"plaza": new, "hikers": new, "live": sent.content}
    assert results(run) == {"plaza": (S.ACCEPTED, 0, ""), "hikers": (S.ACCEPTED, 0, "")}


def test_one_page_starts_one_run(manager, sent):
    order = Order()
    first = recall(manager, sent.pk, reason=REASON, order=order)
    second = recall(manager, sent.pk, reason=REASON, order=order)

    assert first == second
    assert Notification.objects.filter(amends=sent).count() == 1
