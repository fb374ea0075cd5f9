"""Uses of the fields of the record: frozen, sealed, exported or copied by a resend.

Each model of the record declares ``FIELDS`` below its fields: the guards, the canonical
text and a resend read it; a test compares it with the export. A field that is missing
there stops the program at its start.
"""

from enum import Flag, auto

from django.db.models import Model


class Use(Flag):
    NONE = 0  # used by the engine and the pages only
    FIXED = auto()  # does not change after the INSERT
    FROZEN = auto()  # does not change after the notification was sent
    LATE = auto()  # may change even after the notification has ended
    # Part of the canonical text. Older seals can be verified only with the same fields:
    # another field requires another ``canonical_text.FORMAT``.
    SEALED = auto()
    EXPORTED = auto()  # a column of the export of the history
    COPIED = auto()  # copied to a resend


def column_names(
    model: type[Model], use: Use = Use.NONE, *, without: Use = Use.NONE
) -> list[str]:
    """The columns that have all of ``use`` and none of ``without``, in model order."""
    uses: dict[str, Use] = model.FIELDS  # type: ignore[attr-defined]  # see above
    return [
        field.attname
        for field in model._meta.concrete_fields
        if use in uses[field.name] and not uses[field.name] & without
    ]
