"""What becomes of a field after its row was made.

Each model of the record has a table ``FIELDS`` under its fields: the guards of the
database, the sealed text and a resend read it; a test compares it with the export. A
field that is not in it stops the program at its start.
"""

from enum import Flag, auto

from django.db.models import Model


class Use(Flag):
    NONE = 0  # for the engine and the pages alone
    FIXED = auto()  # does not change after the INSERT
    FROZEN = auto()  # does not change once the notification was sent
    LATE = auto()  # may change even when the notification has ended
    # Part of the sealed text. What was sealed before can be verified only with the same
    # fields: one more needs another ``canonical_text.FORMAT``.
    SEALED = auto()
    EXPORTED = auto()  # a column of the export of the history
    COPIED = auto()  # a resend has the same


def names(
    model: type[Model], use: Use = Use.NONE, *, without: Use = Use.NONE
) -> list[str]:
    """The columns of the model, in the order of its fields.

    Only those that have all of ``use``, and nothing of ``without``.
    """
    uses: dict[str, Use] = model.FIELDS  # type: ignore[attr-defined]  # see above
    return [
        field.attname
        for field in model._meta.concrete_fields
        if use in uses[field.name] and not uses[field.name] & without
    ]
