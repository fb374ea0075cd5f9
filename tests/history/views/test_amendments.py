"""What was taken back or corrected: on the pages of the notification, of its deliveries
and of the recall or correction itself."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from notifications import permissions
from notifications.compose.services.resend import send_again
from notifications.delivery.resendable import ResendKind, resendable_group_counts
from notifications.models import Archive, AuditEntry, Notification, SendingSwitch
from tests.factories import (
    MOMENT,
    make_delivery,
    make_ended_amendment,
    make_group,
    make_notification,
    make_seal,
    make_user,
    seal_ended,
)
from tests.management.running import run

pytestmark = pytest.mark.django_db

AT = "2026-03-02 09:30:01 UTC"  # of each result
NEW = "Maintenance tomorrow."


@pytest.fixture(autouse=True)
def _in_utc(settings):
    settings.TIME_ZONE = "UTC"


@pytest.fixture
def auditor(log_in):
    return log_in(make_user(permissions.AUDITOR, username="wang.fang"))


@pytest.fixture
def sent() -> Notification:
    row = make_notification(
        status="completed", channel="group_message", content="Tonight", audience_count=2
    )
    for number, name in enumerate(("Hikers", "Plaza"), start=417):
        make_delivery(row, make_group(name=name), status="accepted", msg_seq=number)
    return row


def words(client, address: str) -> str:
    text = re.sub(r"<[^>]+>", " ", client.get(address).content.decode())
    return " ".join(unescape(text).split())


def page(client, notification: Notification) -> str:
    return words(client, f"/sent/{notification.pk}/")


def links(client, address: str) -> list[str]:
    html = client.get(address).content.decode()
    return [unescape(link) for link in re.findall(r'href="([^"]+)"', html)]


def test_one_page_has_what_was_sent_and_what_became_of_it(auditor, sent):
    correction = make_ended_amendment(sent, "correction")
    recall = make_ended_amendment(sent, status="failed", error_code=10010)

    for _before_and_after_their_seals in range(2):
        text = page(auditor, sent)

        assert "Taken back or corrected" in text
        assert (
            f"Correction {correction.pk} Finished lin.mei · 2026-03-02 09:30:00 UTC"
        ) in text
        assert f"Old text Tonight New text {NEW} Corrected 2" in text
        assert f"Recall {recall.pk} Finished" in text
        assert "Reason wrong date Failed 2 This group no longer exists." in text
        found = links(auditor, f"/sent/{sent.pk}/")
        for address in (
            f"/sent/{correction.pk}/",
            f"/history/deliveries/?notification={correction.pk}&status=accepted",
            f"/history/deliveries/?notification={recall.pk}&status=failed&code=10010",
        ):
            assert address in found
        assert "mendment" not in text
        if not hasattr(recall, "seal"):
            seal_ended()
            recall.refresh_from_db()


def test_the_text_before_a_second_correction_is_that_of_the_first(auditor, sent):
    make_ended_amendment(sent, "correction")
    second = make_notification(
        status="sending", channel="correction", amends=sent, content="Third"
    )

    assert f"In progress lin.mei · 2026-03-02 09:30:00 UTC Text Old text {NEW}" in page(
        auditor, sent
    )
    assert f"Old text {NEW} New text Third" in page(auditor, second)


RESULTS = [
    ("recall", {}, f"Taken back {AT}"),
    ("correction", {}, f"Corrected {AT}"),
    (
        "recall",
        {"reason": "recalled_before", "error_code": None},
        "Taken back: The message had been taken back before, for example by another "
        "person or program.",
    ),
    (
        "recall",
        {"status": "failed"},
        "Could not be taken back: This group no longer exists.",
    ),
    (
        "correction",
        {"status": "failed", "reason": "taken_back", "error_code": None},
        "Could not be corrected: The message was taken back, so it was not corrected.",
    ),
    (
        "recall",
        {"status": "unconfirmed"},
        "It is not confirmed whether it was taken back.",
    ),
    (
        "correction",
        {"status": "unconfirmed"},
        "It is not confirmed whether it was corrected.",
    ),
    (
        "recall",
        {"status": "cancelled"},
        "Not taken back: the recall was stopped before.",
    ),
    (
        "correction",
        {"status": "cancelled"},
        "Not corrected: the correction was stopped before.",
    ),
    ("recall", {"status": "queued", "msg_seq": None}, "It is being taken back."),
    ("correction", {"status": "sending"}, "It is being corrected."),
]


@pytest.mark.parametrize(("channel", "values", "sentence"), RESULTS)
def test_each_delivery_has_what_became_of_its_message(
    auditor, sent, channel, values, sentence
):
    if values.get("status") not in ("queued", "sending"):
        values = {"finished_at": MOMENT + timedelta(seconds=1)} | values
    amendment = make_ended_amendment(sent, channel, **values)
    delivery = sent.deliveries.earliest("pk")
    row = amendment.deliveries.get(amended_delivery=delivery.pk)

    listed = f"/history/deliveries/?notification={sent.pk}"
    assert words(auditor, listed).count(sentence) == 2
    assert sentence in words(auditor, f"/history/deliveries/{delivery.pk}/")
    for address in (listed, f"/history/deliveries/{delivery.pk}/"):
        assert f"/history/deliveries/{row.pk}/" in links(auditor, address)
    own = words(auditor, f"/history/deliveries/{row.pk}/")
    assert ("Recall" if channel == "recall" else "Correction") in own
    assert f"/history/deliveries/{delivery.pk}/" in links(
        auditor, f"/history/deliveries/{row.pk}/"
    )


@pytest.mark.parametrize(
    ("channel", "label", "headline", "text"),
    [
        ("recall", "Taken back", "taken back from all 2 groups.", "Reason wrong date"),
        ("correction", "Corrected", "corrected in all 2 groups.", f"New text {NEW}"),
    ],
)
def test_the_page_of_a_run_has_its_own_words(
    auditor, sent, channel, label, headline, text
):
    amendment = make_ended_amendment(sent, channel)

    shown = page(auditor, amendment)

    assert f"Finished: {headline}" in shown
    assert f"{label} 2 Failed 0" in shown
    assert f"It changes Notification {sent.pk}" in shown
    assert text in shown
    assert "ccepted" not in shown
    listed = words(auditor, f"/history/deliveries/?notification={amendment.pk}")
    assert listed.count(f"Result {label}") + listed.count(f"lin.mei {label}") == 2
    assert f"of notification {sent.pk}" in words(auditor, "/history/")


def test_what_a_run_left_out(auditor, sent):
    recall = make_ended_amendment(sent)
    AuditEntry.objects.create(
        action="recalled",
        actor="lin.mei",
        notification_number=recall.pk,
        detail={
            "of": sent.pk,
            "groups": 2,
            "deliveries": 2,
            "left_out_count": 3,
            "left_out_reasons": {"not_sent": 2, "taken_back": 1},
            "rule": {"types": ["Public"]},
            "reason": "wrong date",
        },
    )

    shown = page(auditor, recall)

    assert "Groups Every group that had got the message · 2 groups" in shown
    assert "Rule: Types Public" in shown
    assert "Left out 2 · the group does not have it 1 · taken back already" in shown
    assert f"Took notification {sent.pk} back from 2 groups." in shown
    assert "Everyone in the group" not in shown


def test_a_waiting_run_says_what_it_waits_for(auditor, sent):
    run_ = make_notification(status="sending", channel="recall", amends=sent)
    later = timezone.now() + timedelta(minutes=1)
    make_delivery(run_, not_before=later)
    SendingSwitch.objects.create(pk=1, is_off=True)

    shown = page(auditor, run_)

    assert "Taking back: 0 of 1 groups done" in shown
    # The switch does not stop a recall; there is no worker.
    assert "all sending is stopped" not in shown.replace("All sending is stopped", "")
    assert "It waits because no worker is running." in shown


@pytest.mark.parametrize("channel", ["recall", "correction"])
@pytest.mark.parametrize("kind", ResendKind)
def test_nothing_of_a_run_is_sent_again(sent, channel, kind):
    manager = sent.sender
    failed = make_ended_amendment(sent, channel, status="failed", error_code=10002)
    make_delivery(failed, status="unconfirmed")

    assert set(resendable_group_counts(failed).values()) == {0}
    with pytest.raises(ValidationError, match=f"page of notification {sent.pk}"):
        send_again(manager, failed.pk, kind, digest="")


def test_after_archiving_the_pages_keep_the_counts(auditor, sent, tmp_path):
    correction = make_ended_amendment(sent, "correction")
    recall = make_ended_amendment(sent)
    for row in (sent, correction, recall):
        make_seal(row)
    arguments = ["--before", "2026-03-03", "--to", str(tmp_path)]
    assert run("archive_history", *arguments)[0] == 0
    assert Archive.objects.count() == 3

    text = page(auditor, sent)

    assert f"New text {NEW} Corrected 2" in text
    assert "Reason wrong date Taken back 2" in text
    assert f"It changes Notification {sent.pk}" in page(auditor, recall)
