"""The recalls and corrections of a notification, and what became of each message."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from notifications.delivery.explanations import explain
from notifications.history.notification_detail import ResultRow, results
from notifications.models import Archive, Delivery, Notification, Seal
from notifications.record.queries import seal_of
from notifications.tencent.outcomes import Reason
from notifications.ui.dates import moment

S = Delivery.Status


@dataclass(frozen=True, slots=True)
class AmendmentRow:
    """A recall or a correction; ``before`` is the text that the groups had until then."""

    run: Notification
    before: str
    results: Sequence[ResultRow]
    seal: Seal | None
    archive: Archive | None

    @property
    def state(self) -> str:
        """The status of the run; it sends nothing."""
        if self.run.status == Notification.Status.SENDING:
            return _("In progress")
        return self.run.get_status_display()


def amendments_of(notification: Notification) -> list[AmendmentRow]:
    """Oldest first; a few queries for each."""
    rows = []
    before = notification.content
    for run in notification.amendments.order_by("pk"):
        seal = seal_of(run.pk)
        archive = Archive.objects.filter(notification=run).first()
        rows.append(AmendmentRow(run, before, results(run, seal), seal, archive))
        if run.is_correction:
            before = run.content
    return rows


def text_before(run: Notification) -> str:
    """The text that a correction replaced: that of the send, or of a correction."""
    if run.amends is None or not run.is_correction:
        return ""
    corrections = run.amends.amendments.corrections()
    newest = corrections.filter(pk__lt=run.pk).order_by("-pk").first()
    return (newest or run.amends).content


@dataclass(frozen=True, slots=True)
class Fate:
    """What a recall or a correction did to a message; ``delivery`` is its row."""

    delivery: Delivery
    sentence: str


def fates_of(deliveries: Iterable[Delivery]) -> Mapping[int, Sequence[Fate]]:
    """By the id of the delivery that sent the message, oldest first; one query."""
    rows = Delivery.objects.filter(amended_delivery__in=[row.pk for row in deliveries])
    fates = defaultdict(list)
    for row in rows.order_by("pk"):
        fates[row.amended_delivery or 0].append(Fate(row, _sentence(row)))
    return fates


def _sentence(row: Delivery) -> str:
    is_recall = row.is_recall
    why = explain(row)
    values = {
        "time": moment(row.finished_at),
        "why": why.meaning if why else "",
    }
    match row.status:
        case S.ACCEPTED if row.reason == Reason.RECALLED_BEFORE:
            sentence = _("Taken back: %(why)s")
        case S.ACCEPTED if is_recall:
            sentence = _("Taken back %(time)s")
        case S.ACCEPTED:
            sentence = _("Corrected %(time)s")
        case S.FAILED if is_recall:
            sentence = _("Could not be taken back: %(why)s")
        case S.FAILED:
            sentence = _("Could not be corrected: %(why)s")
        case S.UNCONFIRMED if is_recall:
            sentence = _("It is not confirmed whether it was taken back.")
        case S.UNCONFIRMED:
            sentence = _("It is not confirmed whether it was corrected.")
        case S.CANCELLED if is_recall:
            sentence = _("Not taken back: the recall was stopped before.")
        case S.CANCELLED:
            sentence = _("Not corrected: the correction was stopped before.")
        case S.QUEUED | S.SENDING if is_recall:
            sentence = _("It is being taken back.")
        case _:
            sentence = _("It is being corrected.")
    return sentence % values
