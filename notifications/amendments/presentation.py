"""Sentences about what is left out of a recall or a correction."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.amendments.messages import LeftOut, Preview

# With the number of groups before it, as in "12 · the group never got it".
LABELS = {
    LeftOut.NOT_SENT: gettext_lazy("the group never got it"),
    LeftOut.NOT_KNOWN: gettext_lazy("it is not known whether the group got it"),
    LeftOut.TAKEN_BACK: gettext_lazy("taken back already"),
    LeftOut.BEING_TAKEN_BACK: gettext_lazy("being taken back already"),
    LeftOut.TOO_OLD: gettext_lazy("too old: Tencent may not keep it any more"),
    LeftOut.LIVE_ROOM: gettext_lazy("a live room, whose messages cannot be corrected"),
}


def nothing_left(preview: Preview) -> str:
    """Why nothing can be changed."""
    reasons = ", ".join(
        f"{count:,} · {LABELS[reason]}" for reason, count in preview.left_out.items()
    )
    if not reasons:
        return _("No group of this notification matches.")
    return _("There is no message left to change: %(reasons)s.") % {"reasons": reasons}
