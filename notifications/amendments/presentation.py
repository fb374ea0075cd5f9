"""Sentences about what is left out of a recall or a correction."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.amendments.messages import LeftOut, Preview
from notifications.models import Archive, Notification

# With the number of groups before it, as in "12 · the group does not have it".
LABELS = {
    LeftOut.NOT_SENT: gettext_lazy("the group does not have it"),
    LeftOut.NOT_KNOWN: gettext_lazy("not known whether the group got it"),
    LeftOut.OTHER_APPLICATION: gettext_lazy("sent with another application"),
    LeftOut.TAKEN_BACK: gettext_lazy("taken back already"),
    LeftOut.BEING_TAKEN_BACK: gettext_lazy("being taken back already"),
    LeftOut.TOO_OLD: gettext_lazy("too old: Tencent may not keep it any more"),
    LeftOut.LIVE_ROOM: gettext_lazy("a live room, where no text can be corrected"),
    LeftOut.BEING_CORRECTED: gettext_lazy("a former correction has no result yet"),
    LeftOut.SAME_TEXT: gettext_lazy("has this text already"),
}


def left_out_counts(preview: Preview) -> str:
    """``12 · the group does not have it, 3 · taken back already``."""
    return ", ".join(
        f"{count:,} · {LABELS[reason]}" for reason, count in preview.left_out.items()
    )


def nothing_left(notification: Notification, preview: Preview) -> str:
    """Why nothing can be changed."""
    if reasons := left_out_counts(preview):
        return _("There is no message left to change: %(reasons)s.") % {
            "reasons": reasons
        }
    if Archive.objects.filter(notification=notification).exists():
        return _("It is archived: nothing of it can be changed any more.")
    return _("No group of this notification matches.")
