"""Where a notification stands, in sentences."""

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from notifications import conf
from notifications.delivery.progress import Progress, WaitReason, WaitState
from notifications.models import Notification
from notifications.ui.dates import moment

MINUTE = 60

# What to do about a pause that no ErrorCode explains.
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
    Notification.PauseReason.RESTORED: gettext_lazy(
        "What was waiting may have been sent already. Ask members of the groups before "
        "you send it again."
    ),
}


def headline(notification: Notification, found: Progress) -> str:
    """The one sentence that a screen reader hears again whenever it changes."""
    numbers = {
        "done": found.done,
        "total": found.total,
        "accepted": found.accepted,
        "failed": found.counts["failed"],
        "unconfirmed": found.counts["unconfirmed"],
        "cancelled": found.counts["cancelled"],
    }
    match notification.status:
        case Notification.Status.SCHEDULED:
            return ngettext(
                "Scheduled for %(time)s: %(total)d group",
                "Scheduled for %(time)s: %(total)d groups",
                found.total,
            ) % {"time": moment(notification.scheduled_for), "total": found.total}
        case Notification.Status.PAUSED:
            return _("Paused: %(done)d of %(total)d groups done") % numbers
        case Notification.Status.CANCELLED if found.parts > 1:
            return (
                _(
                    "Stopped: Tencent accepted it for %(accepted)d of %(total)d groups; "
                    "for %(cancelled)d not all parts were called."
                )
                % numbers
            )
        case Notification.Status.CANCELLED:
            return (
                _(
                    "Stopped: Tencent accepted it for %(accepted)d of %(total)d groups; "
                    "%(cancelled)d were not called."
                )
                % numbers
            )
        case Notification.Status.COMPLETED if found.accepted == found.total:
            return (
                _("Finished: Tencent accepted it for all %(total)d groups.") % numbers
            )
        case Notification.Status.COMPLETED:
            return (
                _(
                    "Finished: Tencent accepted it for %(accepted)d of %(total)d groups; "
                    "%(failed)d failed, %(unconfirmed)d not confirmed."
                )
                % numbers
            )
    return _("Sending: %(done)d of %(total)d groups done") % numbers


def pause_reason(notification: Notification) -> str:
    """Why it is paused, or was stopped, with the name and the words of whoever did it."""
    reason = (
        notification.get_paused_reason_display()
        or notification.get_stop_reason_display()
    )
    told = {
        "reason": capfirst(reason),
        "by": notification.paused_by,
        "note": notification.paused_note,
    }
    if notification.paused_note:
        return _("%(reason)s (%(by)s): %(note)s") % told
    if notification.paused_by:
        return _("%(reason)s (%(by)s).") % told
    return _("%(reason)s.") % told


def wait_reason(found: WaitState) -> str:
    """The reason for the waiting, or how it goes; empty when there is nothing to say."""
    match found.why:
        case WaitReason.FOR_THE_SWITCH:
            return _("It waits because all sending is stopped.")
        case WaitReason.FOR_A_WORKER:
            return _("It waits because no worker is running.")
        case WaitReason.FOR_ANOTHER_ATTEMPT:
            return _("It waits until %(time)s before it tries again.") % {
                "time": moment(found.next_attempt)
            }
        case WaitReason.FOR_THE_PACE if found.rate:
            return _(
                "%(rate)d a second, of %(limit)d at most. About %(left)s left."
            ) % {
                "rate": round(found.rate),
                "limit": int(conf.calls_per_second()),
                "left": _span(found.seconds_left or 0),
            }
        case WaitReason.FOR_THE_PACE:
            return _("It starts within a second.")
    return ""


def _span(seconds: int) -> str:
    if seconds < MINUTE:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    minutes = -(-seconds // MINUTE)
    return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
