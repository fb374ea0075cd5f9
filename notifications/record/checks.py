"""Checks of the database, when asked: guards, and whose tables they are."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register

from notifications.db.migrations import unknown_migrations
from notifications.record.guards import install as guards_install


@register(Tags.database)
def check_guards(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Runs with ``check --database default``, and before a migrate.

    A warning, since an error would keep ``migrate`` from mending it. The worker refuses
    to start on it.
    """
    return [
        Warning(
            f"The guard {name} of the record is missing or was changed: rows of the "
            "history can be altered.",
            hint="Run manage.py migrate, which makes it again; then find out who "
            "removed it, and run manage.py verify_history.",
            id="notifier.W020",
        )
        for using in databases or ()
        for name in guards_install.missing(using)
    ]


@register(Tags.database)
def check_release(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Whether the tables are those of this release. No error: an update is like that."""
    return [
        Warning(
            f"The tables are those of a newer release: {', '.join(names)}.",
            hint="During an update, and after a step back to this release, it is as it "
            "should be. Else end the update: see docs/deploy.md.",
            id="notifier.W021",
        )
        for using in databases or ()
        if (names := unknown_migrations(using))
    ]
