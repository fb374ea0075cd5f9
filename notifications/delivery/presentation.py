"""The state of a notification, in sentences."""

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications import conf
from notifications.delivery.progress import Progress
from notifications.delivery.reconcile.services import OpenQueries
from notifications.delivery.waiting import WaitReason, WaitState
from notifications.models import Notification
from notifications.ui.dates import moment

MINUTE = 60

# Advice for a pause that no ErrorCode explains.
ADVICE: dict[str, Promise] = {
    Notification.PauseReason.DOUBT: gettext_lazy(
        "Look whether the chat service answers, for example in another tool. Then "
        "continue; what is not confirmed stays as it is."
    ),
    Notification.PauseReason.NOT_SENT: gettext_lazy(
        "No group was called. Ask whoever runs this console to look at its network, "
        "then continue."
    ),
    Notification.PauseReason.FAILURES: gettext_lazy(
        "Read the reasons below. Continue only when they do not concern the groups "
        "that still wait."
    ),
    Notification.PauseReason.LATE: gettext_lazy(
        "Read the message once more: is it still right? Then continue, or stop it."
    ),
    Notification.PauseReason.SENDER_LOST: gettext_lazy(
        "Every colleague who may send can take it over and then continue it, or stop it."
    ),
    Notification.PauseReason.RESTORED: gettext_lazy(
        "What was waiting may have been sent already. Ask members of the groups before "
        "you send it again."
    ),
}


def headline(notification: Notification, progress: Progress) -> str:
    """Summarize the state in one sentence, for a live region of the page."""
    if notification.is_recall:
        own = _of_recall(notification, progress)
    elif notification.is_correction:
        own = _of_correction(notification, progress)
    else:
        own = ""
    return (own or _of_send(notification, progress)) % {
        "time": moment(notification.scheduled_for),
        "done": progress.done,
        "total": progress.total,
        "accepted": progress.accepted,
        "failed": progress.counts["failed"],
        "unconfirmed": progress.counts["unconfirmed"],
        "cancelled": progress.counts["cancelled"],
        "in_progress": progress.in_progress,
    }


def _of_send(notification: Notification, progress: Progress) -> str:
    match notification.status:
        case Notification.Status.SCHEDULED:
            return ngettext(
                "Scheduled for %(time)s: %(total)d group",
                "Scheduled for %(time)s: %(total)d groups",
                progress.total,
            )
        case Notification.Status.PAUSED:
            return _("Paused: %(done)d of %(total)d groups done")
        case Notification.Status.CANCELLED if progress.in_progress:
            return ngettext(
                "Stopping: %(in_progress)d call is still in progress.",
                "Stopping: %(in_progress)d calls are still in progress.",
                progress.in_progress,
            )
        case Notification.Status.CANCELLED if progress.portions > 1:
            return _(
                "Stopped: Tencent accepted it for %(accepted)d of %(total)d groups; "
                "for %(cancelled)d not all parts were called."
            )
        case Notification.Status.CANCELLED:
            return _(
                "Stopped: Tencent accepted it for %(accepted)d of %(total)d groups; "
                "%(cancelled)d were not called."
            )
        case Notification.Status.COMPLETED if progress.accepted == progress.total:
            return _("Finished: Tencent accepted it for all %(total)d groups.")
        case Notification.Status.COMPLETED:
            return _(
                "Finished: Tencent accepted it for %(accepted)d of %(total)d groups; "
                "%(failed)d failed, %(unconfirmed)d not confirmed."
            )
    return _("Sending: %(done)d of %(total)d groups done")


def _of_recall(notification: Notification, progress: Progress) -> str:
    """Empty where the sentence is that of a send."""
    match notification.status:
        case Notification.Status.CANCELLED if not progress.in_progress:
            return _(
                "Stopped: taken back from %(accepted)d of %(total)d groups; "
                "%(cancelled)d were not called."
            )
        case Notification.Status.COMPLETED if progress.accepted == progress.total:
            return ngettext(
                "Finished: taken back from %(total)d group.",
                "Finished: taken back from all %(total)d groups.",
                progress.total,
            )
        case Notification.Status.COMPLETED:
            return _(
                "Finished: taken back from %(accepted)d of %(total)d groups; "
                "%(failed)d failed, %(unconfirmed)d not confirmed."
            )
        case Notification.Status.SENDING:
            return _("Taking back: %(done)d of %(total)d groups done")
    return ""


def _of_correction(notification: Notification, progress: Progress) -> str:
    """Empty where the sentence is that of a send."""
    match notification.status:
        case Notification.Status.CANCELLED if not progress.in_progress:
            return _(
                "Stopped: corrected in %(accepted)d of %(total)d groups; "
                "%(cancelled)d were not called."
            )
        case Notification.Status.COMPLETED if progress.accepted == progress.total:
            return ngettext(
                "Finished: corrected in %(total)d group.",
                "Finished: corrected in all %(total)d groups.",
                progress.total,
            )
        case Notification.Status.COMPLETED:
            return _(
                "Finished: corrected in %(accepted)d of %(total)d groups; "
                "%(failed)d failed, %(unconfirmed)d not confirmed."
            )
        case Notification.Status.SENDING:
            return _("Correcting: %(done)d of %(total)d groups done")
    return ""


def pause_reason(notification: Notification) -> str:
    """Return why it is paused or was stopped, with the user's name and note."""
    reason = (
        notification.get_paused_reason_display()
        or notification.get_stop_reason_display()
    )
    values = {
        "reason": capfirst(reason),
        "by": notification.paused_by,
        "note": notification.paused_note,
    }
    if notification.paused_note:
        return _("%(reason)s (%(by)s): %(note)s") % values
    if notification.paused_by:
        return _("%(reason)s (%(by)s).") % values
    return _("%(reason)s.") % values


def wait_sentence(state: WaitState) -> str:
    """Return the reason for waiting, or the rate of sending; empty for other states."""
    match state.reason:
        case WaitReason.SENDING_STOPPED:
            return _("It waits because all sending is stopped.")
        case WaitReason.NO_WORKER:
            return _("It waits because no worker is running.")
        case WaitReason.AMENDED:
            return _(
                "It waits until it is known which of the other groups have the message."
            )
        case WaitReason.RETRY_DELAY:
            return _("It waits until %(time)s before it tries again.") % {
                "time": moment(state.next_attempt)
            }
        case WaitReason.RATE_LIMIT if state.rate:
            return _(
                "%(rate)d a second, of %(limit)d at most. About %(left)s left."
            ) % {
                "rate": round(state.rate),
                "limit": int(conf.calls_per_second()),
                "left": _duration(state.seconds_left or 0),
            }
        case WaitReason.RATE_LIMIT:
            return _("It starts within a second.")
    return ""


def query_sentence(
    queries: OpenQueries, unconfirmed: int = 0, *, has_worker: bool
) -> str:
    """Return what becomes of unconfirmed deliveries; empty if Tencent is not asked.

    ``unconfirmed`` is the number of all of them, if it is to be compared.
    """
    if not queries.count:
        return ""
    sentence = (
        ngettext(
            "%(n)d not confirmed; asking Tencent, about %(left)s.",
            "%(n)d not confirmed; asking Tencent, about %(left)s.",
            queries.count,
        )
        if has_worker
        else ngettext(
            "%(n)d not confirmed; Tencent is asked as soon as a worker is running.",
            "%(n)d not confirmed; Tencent is asked as soon as a worker is running.",
            queries.count,
        )
    )
    asking = sentence % {"n": queries.count, "left": _duration(queries.seconds_left)}
    others = unconfirmed - queries.count
    if others <= 0:
        return asking
    return _("%(asking)s Tencent is not asked about %(n)d more.") % {
        "asking": asking,
        "n": others,
    }


def _duration(seconds: int) -> str:
    if seconds < MINUTE:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = -(-seconds // MINUTE)
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
