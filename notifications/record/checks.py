"""System checks of the database: guards, privileges, migrations of a newer release."""

from collections.abc import Iterable
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register

from notifications.db.migrations import unknown_migrations
from notifications.record.guards import install as guards_install
from notifications.record.guards import privileges


@register(Tags.database)
def check_guards(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Warn about guards that are missing or changed, and about unknown triggers.

    Runs with ``check --database default`` and before ``migrate``. Not an error: an error
    would prevent ``migrate`` from restoring them. The worker refuses to start.
    """
    missing = [
        Warning(
            f"The guard {name} of the record is missing or was changed: rows of the "
            "history can be altered.",
            hint="Run manage.py migrate, which creates it again; then find out who "
            "removed it, and run manage.py verify_history.",
            id="notifier.W020",
        )
        for using in databases or ()
        for name in guards_install.missing(using)
    ]
    unknown = [
        Warning(
            f"The table {table} has a {name} that this program did not create: it can "
            "change or hide rows of the history.",
            hint="Find out who created it, and remove it.",
            id="notifier.W024",
        )
        for using in databases or ()
        for table, name in guards_install.unknown(using)
    ]
    return [*missing, *unknown]


@register(Tags.database)
def check_role(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Warn about a role that can disable the guards, or that has other privileges.

    Not an error: a database for development has one role.
    """
    owner = [
        Warning(
            "DATABASE_URL connects to PostgreSQL as the owner of the tables or as a "
            "superuser: whoever controls a page or a worker can disable the guards.",
            hint="Create a role that owns nothing for DATABASE_URL, and give the URL of "
            "the owner as DATABASE_OWNER_URL to migrate and archive_history only: see "
            "docs/deploy.md.",
            id="notifier.W026",
        )
        for using in databases or ()
        if privileges.can_needlessly_disable_guards(using)
    ]
    others = [
        Warning(
            "The role of DATABASE_URL has other privileges than it should have: "
            f"{', '.join(sentences)}.",
            hint="Run manage.py migrate with DATABASE_OWNER_URL, which corrects the "
            "privileges of the role; revoke what other roles or PUBLIC have.",
            id="notifier.W027",
        )
        for using in databases or ()
        if (sentences := privileges.differences(using))
    ]
    return [*owner, *others]


@register(Tags.database)
def check_release(
    databases: Iterable[str] | None = None, **_kwargs: Any
) -> list[CheckMessage]:
    """Warn about tables of a newer release. Not an error: updates pass through this."""
    return [
        Warning(
            f"The tables are those of a newer release: {', '.join(names)}.",
            hint="This is expected during an update and after a downgrade to this "
            "release. Otherwise finish the update: see docs/deploy.md.",
            id="notifier.W021",
        )
        for using in databases or ()
        if (names := unknown_migrations(using))
    ]
