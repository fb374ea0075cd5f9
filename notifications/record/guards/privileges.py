"""The privileges of the application's role on PostgreSQL.

Pages and workers connect as a role that does not own the tables, so it can neither drop
nor disable a guard. ``migrate`` runs as the owner and grants each table's privileges. They
follow from the rules of the guards: what is always refused is not granted.

SQLite has no roles: every process that can write to its file can remove the guards.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import CommandError
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.migrations.recorder import MigrationRecorder

from notifications.db.migrations import unknown_migrations
from notifications.db.sql import STATISTICS_FUNCTION
from notifications.models import Archive, Notification
from notifications.record.guards.rules import TABLES, GuardRule

PRIVILEGES = (
    *("SELECT", "INSERT", "UPDATE", "DELETE"),
    *("TRUNCATE", "REFERENCES", "TRIGGER"),
)
USUAL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
# Only ``migrate`` and ``archive_history`` write these.
READ_ONLY = (MigrationRecorder.Migration, ContentType, Permission, Archive)

NEEDS_OWNER = (
    "%(command)s changes what only the owner of the tables may change. Set "
    "DATABASE_OWNER_URL: see docs/deploy.md."
)

# The planner's statistics can be refreshed by the owner only.
STATISTICS_BODY = (
    "BEGIN EXECUTE pg_catalog.format('ANALYZE %s (%I)', relation, field); END"
)
CREATE_STATISTICS_FUNCTION = [
    f"CREATE OR REPLACE FUNCTION {STATISTICS_FUNCTION}(relation regclass, field name) "
    "RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp "
    f"AS $body${STATISTICS_BODY}$body$",
    f"REVOKE EXECUTE ON FUNCTION {STATISTICS_FUNCTION}(regclass, name) FROM PUBLIC",
]


def is_owner(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether this session may disable the guards; always on SQLite."""
    if connections[using].vendor != "postgresql":
        return True
    return bool(_owns_tables(using, None))


def can_needlessly_disable_guards(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether this process connects to PostgreSQL as the owner without needing it."""
    is_postgresql = connections[using].vendor == "postgresql"
    return is_postgresql and not settings.CONNECTS_AS_OWNER and is_owner(using)


def differences(using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Privileges of this session's role that are missing, or that it should not have.

    Empty for the owner of the tables, before the first ``migrate``, and after migrations of
    a newer release, which may need other privileges.
    """
    if not _is_other_role(using):
        return []
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT session_user, current_schema()")
        role, schema = cursor.fetchone()
        cursor.execute("SELECT has_schema_privilege(%s, 'CREATE')", [schema])
        (may_create,) = cursor.fetchone()
    expected, actual = _expected(using), _actual(using, role)
    sentences = [
        *(f"no {privilege} on {table}" for table, privilege in expected - actual),
        *(f"{privilege} on {table}" for table, privilege in actual - expected),
        # A function or operator in this schema could be called in place of PostgreSQL's.
        *([f"CREATE on the schema {schema}"] if may_create else []),
    ]
    return sorted(sentences) if not unknown_migrations(using) else []


def require_owner_before_migrate(using: str, **_kwargs: Any) -> None:
    """Receiver of ``pre_migrate``. Raises ``CommandError`` before any change."""
    if _is_other_role(using):
        raise CommandError(NEEDS_OWNER % {"command": "migrate"})


def grant_after_migrate(using: str, **_kwargs: Any) -> None:
    """Receiver of ``post_migrate``: give the application's role what it needs."""
    if connections[using].vendor != "postgresql":
        return
    _install_statistics_function(using)
    if settings.APPLICATION_ROLE:
        grant(using, settings.APPLICATION_ROLE)


def grant(using: str, role: str) -> None:
    """Grant ``role`` its privileges, and revoke all others on the tables.

    Tables of earlier releases that no model describes any more keep their privileges.
    Raises ``CommandError`` for a role that does not exist or that owns the tables.
    """
    database = connections[using]
    name = database.ops.quote_name
    with transaction.atomic(using), database.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
        if cursor.fetchone() is None:
            raise CommandError(
                f"DATABASE_URL connects as the role {role}, which does not exist. Create "
                "it: see docs/deploy.md."
            )
        if _owns_tables(using, role):
            raise CommandError(
                f"DATABASE_URL connects as the role {role}, which owns the tables or is a "
                "superuser. Give DATABASE_URL another role than DATABASE_OWNER_URL: see "
                "docs/deploy.md."
            )
        expected, actual = _expected(using), _actual(using, role)
        for table in sorted({table for table, _privilege in expected ^ actual}):
            privileges = ", ".join(p for p in PRIVILEGES if (table, p) in expected)
            cursor.execute(f"REVOKE ALL ON {name(table)} FROM {name(role)}")
            cursor.execute(f"GRANT {privileges} ON {name(table)} TO {name(role)}")
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        cursor.execute(f"GRANT USAGE ON SCHEMA {name(schema)} TO {name(role)}")
        cursor.execute(
            f"REVOKE CREATE ON SCHEMA {name(schema)} FROM PUBLIC, {name(role)}"
        )
        # Their values are read by the verification of the trail and by pg_dump.
        cursor.execute(
            f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA {name(schema)} TO {name(role)}"
        )
        cursor.execute(
            f"GRANT EXECUTE ON FUNCTION {STATISTICS_FUNCTION}(regclass, name) "
            f"TO {name(role)}"
        )


def _is_other_role(using: str) -> bool:
    """Whether this session is on PostgreSQL, with a role that does not own the tables."""
    is_postgresql = connections[using].vendor == "postgresql"
    return is_postgresql and _owns_tables(using, None) is False


def _owns_tables(using: str, role: str | None) -> bool | None:
    """Whether ``role``, by default that of this session, is the owner or a member of it.

    ``None`` before the first ``migrate``.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(coalesce(%s::name, session_user), relowner, 'MEMBER') "
            "FROM pg_class WHERE oid = to_regclass(%s)",
            [role, Notification._meta.db_table],
        )
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def _expected(using: str) -> set[tuple[str, str]]:
    """Pairs of a table that exists and a privilege."""
    introspection = connections[using].introspection
    existing = set(introspection.table_names())
    privileges = dict.fromkeys(
        introspection.django_table_names(include_views=False), USUAL
    )
    for guarded in TABLES:
        refused = {
            privilege
            for privilege, rules in (
                ("UPDATE", guarded.update),
                ("DELETE", guarded.delete),
            )
            if any(map(_always_refuses, rules))
        }
        privileges[guarded.model._meta.db_table] = USUAL - refused
    for model in READ_ONLY:
        privileges[model._meta.db_table] = frozenset({"SELECT"})
    return {
        (table, privilege)
        for table, table_privileges in privileges.items()
        for privilege in table_privileges
        if table in existing
    }


def _always_refuses(rule: GuardRule) -> bool:
    return not rule.when and not rule.columns


def _actual(using: str, role: str) -> set[tuple[str, str]]:
    """The same for ``role``, also by membership and by grants to everybody."""
    tables = sorted({table for table, _privilege in _expected(using)})
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT name, privilege FROM unnest(%s::text[]) AS tables(name), "
            "unnest(%s::text[]) AS privileges(privilege) "
            "WHERE has_table_privilege(%s, quote_ident(name), privilege)",
            [tables, list(PRIVILEGES), role],
        )
        return set(cursor.fetchall())


def _install_statistics_function(using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_proc WHERE oid = to_regprocedure(%s) AND prosrc = %s",
            [f"{STATISTICS_FUNCTION}(regclass, name)", STATISTICS_BODY],
        )
        if cursor.fetchone() is None:
            for statement in CREATE_STATISTICS_FUNCTION:
                cursor.execute(statement)
