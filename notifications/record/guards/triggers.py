"""The guards as triggers, in the SQL of each database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, UniqueConstraint

from notifications.record.guards.rules import TABLES, GuardedTable, GuardRule

PREFIX = "notifier_guard_"

# The variable of a PostgreSQL transaction in which the guards are lifted; it holds the
# number of that transaction. So nothing set for a session, a role or a database opens
# the door for longer.
LIFTED = "notifier.guards_lifted_in"


@dataclass(frozen=True, slots=True)
class Guard:
    """One trigger. ``body`` is what tells it from one that was tampered with."""

    name: str
    table: str
    event: str
    body: str
    statements: Sequence[str]


def guards(connection: BaseDatabaseWrapper) -> list[Guard]:
    """All that this database should have."""
    build = _of_sqlite if connection.vendor == "sqlite" else _of_postgresql
    return [guard for table in TABLES for guard in build(table)]


def _name(table: GuardedTable, event: str) -> str:
    return f"{PREFIX}{table.model._meta.model_name}_{event.lower()}"


def _text(refusal: str) -> str:
    return f"'notifier: {refusal}'"


def _condition(rule: GuardRule, differs: str) -> str:
    parts = [f"({rule.when})"] if rule.when else []
    if rule.columns:
        old, new = (
            ", ".join(f'{row}."{column}"' for column in rule.columns)
            for row in ("OLD", "NEW")
        )
        parts.append(f"({old}) {differs} ({new})")
    return " AND ".join(parts) or "TRUE"


# --- SQLite -----------------------------------------------------------------------


def _of_sqlite(table: GuardedTable) -> Iterator[Guard]:
    for event, rules in (("UPDATE", table.update), ("DELETE", table.delete)):
        cases = " ".join(
            f"WHEN {_condition(rule, 'IS NOT')} "
            f"THEN RAISE(ABORT, {_text(rule.refusal)})"
            for rule in rules
        )
        yield _sqlite_trigger(table, event, "", f"SELECT CASE {cases} END")
    # INSERT OR REPLACE removes the row that is in its way without asking any trigger
    # on DELETE.
    refusal = _text(f"{table.noun} exists already and cannot be replaced")
    yield _sqlite_trigger(
        table, "INSERT", f"WHEN {_is_there(table)} ", f"SELECT RAISE(ABORT, {refusal})"
    )


def _sqlite_trigger(table: GuardedTable, event: str, when: str, action: str) -> Guard:
    name, of = _name(table, event), table.model._meta.db_table
    create = (
        f'CREATE TRIGGER "{name}" BEFORE {event} ON "{of}" {when}BEGIN {action}; END'
    )
    return Guard(name, of, event, create, [f'DROP TRIGGER IF EXISTS "{name}"', create])


def _is_there(table: GuardedTable) -> str:
    of = table.model._meta.db_table
    same = (
        " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
        for key in _unique_keys(table.model)
    )
    return " OR ".join(
        f'EXISTS (SELECT 1 FROM "{of}" WHERE {row})'  # noqa: S608  names of the model
        for row in same
    )


def _unique_keys(model: type[Model]) -> Iterator[list[str]]:
    for field in model._meta.concrete_fields:
        if field.unique:
            yield [field.column]
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    for constraint in model._meta.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield [columns[name] for name in constraint.fields]


# --- PostgreSQL -------------------------------------------------------------------


def _of_postgresql(table: GuardedTable) -> Iterator[Guard]:
    yield _postgresql_trigger(table, "UPDATE", "ROW", table.update)
    yield _postgresql_trigger(table, "DELETE", "ROW", table.delete)
    emptied = GuardRule(f"the table of {table.noun} cannot be emptied")
    yield _postgresql_trigger(table, "TRUNCATE", "STATEMENT", [emptied])


def _postgresql_trigger(
    table: GuardedTable, event: str, each: str, rules: Sequence[GuardRule]
) -> Guard:
    """The conditions stand in the function: a column in WHEN forbids ALTER TYPE."""
    name, of = _name(table, event), table.model._meta.db_table
    cases = " ".join(
        f"WHEN {_condition(rule, 'IS DISTINCT FROM')} THEN {_text(rule.refusal)}"
        for rule in rules
    )
    body = (
        f"DECLARE refusal text := CASE {cases} END; "
        "BEGIN "
        "IF refusal IS NOT NULL AND "
        f"current_setting('{LIFTED}', true) IS DISTINCT FROM "
        "pg_current_xact_id()::text THEN "
        "RAISE EXCEPTION USING MESSAGE = refusal, "
        "ERRCODE = 'integrity_constraint_violation'; "
        "END IF; "
        f"RETURN {'OLD' if event == 'DELETE' else 'NEW'}; "
        "END"
    )
    return Guard(
        name,
        of,
        event,
        body,
        [
            f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger '
            f"LANGUAGE plpgsql AS $guard${body}$guard$",
            f'CREATE OR REPLACE TRIGGER "{name}" BEFORE {event} ON "{of}" '
            f'FOR EACH {each} EXECUTE FUNCTION "{name}"()',
            # Also in sessions of replication, which skip ordinary triggers.
            f'ALTER TABLE "{of}" ENABLE ALWAYS TRIGGER "{name}"',
        ],
    )
