"""The guards as triggers, in the SQL of each database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, UniqueConstraint

from notifications.record.guards.rules import TABLES, GuardedTable, GuardRule

PREFIX = "notifier_guard_"
# This PostgreSQL variable disables the guards in the transaction whose number it holds.
# So a value set for a session, a role or a database has no effect. Only sessions of the
# owner of the table can use it: ``session_user`` is the role that logged in, also within
# SET ROLE and functions of another role.
DISABLED_VARIABLE = "notifier.guards_lifted_in"
IS_OWNER = (
    "pg_catalog.pg_has_role(session_user, (SELECT relowner FROM pg_catalog.pg_class "
    "WHERE oid = TG_RELID), 'MEMBER')"
)


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger. A trigger in the database with another ``body`` was changed."""

    name: str
    table: str
    event: str
    body: str
    statements: Sequence[str]


def guards(connection: BaseDatabaseWrapper) -> list[Guard]:
    """All guards that this database should have."""
    build = _sqlite_guards if connection.vendor == "sqlite" else _postgresql_guards
    return [guard for table in TABLES for guard in build(table)]


def _name(table: GuardedTable, event: str) -> str:
    return f"{PREFIX}{table.model._meta.model_name}_{event.lower()}"


def _sql_message(refusal: str) -> str:
    return f"'notifier: {refusal}'"


def _condition(rule: GuardRule, differs: str) -> str:
    conditions = [f"({rule.when})"] if rule.when else []
    if rule.columns:
        old, new = (
            ", ".join(f'{row}."{column}"' for column in rule.columns)
            for row in ("OLD", "NEW")
        )
        conditions.append(f"({old}) {differs} ({new})")
    return " AND ".join(conditions) or "TRUE"


# --- SQLite -----------------------------------------------------------------------


def _sqlite_guards(table: GuardedTable) -> Iterator[Guard]:
    for event, rules in (("UPDATE", table.update), ("DELETE", table.delete)):
        cases = " ".join(
            f"WHEN {_condition(rule, 'IS NOT')} "
            f"THEN RAISE(ABORT, {_sql_message(rule.refusal)})"
            for rule in rules
        )
        yield _sqlite_trigger(table, event, "", f"SELECT CASE {cases} END")
    # INSERT OR REPLACE deletes the conflicting row without running triggers on DELETE.
    refusal = _sql_message(f"{table.noun} exists already and cannot be replaced")
    yield _sqlite_trigger(
        table,
        "INSERT",
        f"WHEN {_row_exists(table)} ",
        f"SELECT RAISE(ABORT, {refusal})",
    )


def _sqlite_trigger(table: GuardedTable, event: str, when: str, action: str) -> Guard:
    name, db_table = _name(table, event), table.model._meta.db_table
    create = (
        f'CREATE TRIGGER "{name}" BEFORE {event} ON "{db_table}" '
        f"{when}BEGIN {action}; END"
    )
    drop = f'DROP TRIGGER IF EXISTS "{name}"'
    return Guard(name, db_table, event, create, [drop, create])


def _row_exists(table: GuardedTable) -> str:
    conditions = (
        " AND ".join([*(f'"{column}" = NEW."{column}"' for column in key), *condition])
        for key, condition in _unique_keys(table.model)
    )
    return " OR ".join(
        f'EXISTS (SELECT 1 FROM "{table.model._meta.db_table}" WHERE {condition})'  # noqa: S608  names of the model
        for condition in conditions
    )


def _unique_keys(model: type[Model]) -> Iterator[tuple[list[str], list[str]]]:
    """The columns of each unique key, and its condition on the existing row, if any."""
    for field in model._meta.concrete_fields:
        if field.unique:
            yield [field.column], []
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            editor: Any = connection.schema_editor()
            condition = cast(Any, constraint)._get_condition_sql(model, editor)
            key = [columns[name] for name in constraint.fields]
            yield key, [f"({condition})"] if condition else []


# --- PostgreSQL -------------------------------------------------------------------


def _postgresql_guards(table: GuardedTable) -> Iterator[Guard]:
    yield _postgresql_trigger(table, "UPDATE", "ROW", table.update)
    yield _postgresql_trigger(table, "DELETE", "ROW", table.delete)
    emptied = GuardRule(f"the table of {table.noun} cannot be emptied")
    yield _postgresql_trigger(table, "TRUNCATE", "STATEMENT", [emptied])


def _postgresql_trigger(
    table: GuardedTable, event: str, each: str, rules: Sequence[GuardRule]
) -> Guard:
    """The conditions are in the function: a column in WHEN forbids ALTER TYPE."""
    name, db_table = _name(table, event), table.model._meta.db_table
    cases = " ".join(
        f"WHEN {_condition(rule, 'IS DISTINCT FROM')} THEN {_sql_message(rule.refusal)}"
        for rule in rules
    )
    body = (
        f"DECLARE refusal text := CASE {cases} END; "
        "BEGIN "
        "IF refusal IS NOT NULL AND NOT ("
        f"current_setting('{DISABLED_VARIABLE}', true) IS NOT DISTINCT FROM "
        f"pg_current_xact_id()::text AND {IS_OWNER}) THEN "
        "RAISE EXCEPTION USING MESSAGE = refusal, "
        "ERRCODE = 'integrity_constraint_violation'; "
        "END IF; "
        f"RETURN {'OLD' if event == 'DELETE' else 'NEW'}; "
        "END"
    )
    # As ``pg_get_triggerdef`` returns it.
    definition = (
        f"CREATE TRIGGER {name} BEFORE {event} ON {db_table} "
        f"FOR EACH {each} EXECUTE FUNCTION {name}()"
    )
    return Guard(
        name,
        db_table,
        event,
        f"{definition}: {body}",
        [
            f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger '
            f"LANGUAGE plpgsql AS $guard${body}$guard$",
            f'CREATE OR REPLACE TRIGGER "{name}" BEFORE {event} ON "{db_table}" '
            f'FOR EACH {each} EXECUTE FUNCTION "{name}"()',
            # Also in replication sessions, which skip ordinary triggers.
            f'ALTER TABLE "{db_table}" ENABLE ALWAYS TRIGGER "{name}"',
        ],
    )
