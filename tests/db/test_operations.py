"""Constraints and indexes are added while both releases use the table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations import Migration
from django.db.migrations.state import ProjectState

from notifications.db.operations import (
    AddIndexes,
    RemoveFieldIndex,
    ReplaceConstraints,
    SetStorage,
)

pytestmark = pytest.mark.django_db(transaction=True)

IS_SQLITE = connection.vendor == "sqlite"
# With a percent sign, which is no placeholder.
NOT_EMPTY = models.CheckConstraint(
    condition=~models.Q(text__in=["", "100%"]), name="thing_text"
)
ANY_BUT_X = models.CheckConstraint(condition=~models.Q(text="x"), name="thing_text")
POSITIVE = models.CheckConstraint(
    condition=models.Q(number__gte=1), name="thing_from_1"
)
INDEX = models.Index(fields=["text"], name="thing_by_text")
REPLACED = models.Index(fields=["number"], name="thing_by_number")
ONCE = models.UniqueConstraint(
    fields=["number"], condition=models.Q(number__gte=10), name="thing_once"
)
OPERATIONS = [
    ReplaceConstraints("Thing", ["thing_text"], [ANY_BUT_X, POSITIVE]),
    AddIndexes("Thing", [INDEX], [ONCE], removed=["thing_by_number"]),
]


class Interrupted(Exception):
    pass


@pytest.fixture
def state() -> Iterator[ProjectState]:
    """The state before the operations; the table has rows."""
    state = ProjectState()
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("text", models.CharField(max_length=20)),
        ("number", models.IntegerField()),
    ]
    create = migrations.CreateModel(
        "Thing", fields, options={"constraints": [NOT_EMPTY], "indexes": [REPLACED]}
    )
    apply(create, state)
    run_sql("INSERT INTO things_thing (text, number) VALUES ('a', 1), ('b', 10)")
    yield state
    run_sql("DROP TABLE things_thing")


def apply(operation: Any, state: ProjectState) -> None:
    migration = Migration("next", "things")
    migration.operations = [operation]
    migration.atomic = False
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(state, editor)


def run_sql(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def statements(*, interrupt_at: int | None = None) -> Iterator[list[str]]:
    """Collect the statements that change something; an error instead of that one."""
    collected: list[str] = []

    def execute(run: Any, sql: str, *arguments: Any) -> Any:
        if sql.split()[0] in ("ALTER", "CREATE", "DROP", "INSERT"):
            if len(collected) == interrupt_at:
                raise Interrupted
            collected.append(sql)
        return run(sql, *arguments)

    with connection.execute_wrapper(execute):
        yield collected


def refused(statement: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        run_sql(statement)


def assert_is_complete() -> None:
    """The older constraint and index are gone; each of the new ones refuses a row."""
    run_sql("INSERT INTO things_thing (text, number) VALUES ('', 2), ('100%', 3)")
    refused("INSERT INTO things_thing (text, number) VALUES ('x', 4)")
    refused("INSERT INTO things_thing (text, number) VALUES ('c', 0)")
    refused("INSERT INTO things_thing (text, number) VALUES ('c', 10)")
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "things_thing")
    assert {"thing_text", "thing_from_1", "thing_by_text", "thing_once"} <= {
        *constraints
    }
    assert "thing_by_number" not in constraints
    if not IS_SQLITE:
        assert run_sql("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []
        assert run_sql("SELECT 1 FROM pg_index WHERE NOT indisvalid") == []


def test_rows_stay_and_the_constraints_hold(state):
    for operation in OPERATIONS:
        apply(operation, state)

    assert run_sql("SELECT id, text, number FROM things_thing ORDER BY id") == [
        (1, "a", 1),
        (2, "b", 10),
    ]
    assert_is_complete()


def test_the_statements_block_no_writers(state):
    with statements() as executed:
        for operation in OPERATIONS:
            apply(operation, state)

    if IS_SQLITE:
        assert [sql for sql in executed if sql.startswith("INSERT")] == [
            sql for sql in executed if "new__things_thing" in sql and "SELECT" in sql
        ]
        assert sum(sql.startswith("CREATE TABLE") for sql in executed) == 1
        return
    # The table is locked for all others only for a moment: no statement reads its rows
    # meanwhile.
    (replaced,) = (sql for sql in executed if "NOT VALID" in sql)
    assert replaced.count("NOT VALID") == 2
    assert replaced.count("DROP CONSTRAINT IF EXISTS") == 2
    assert [sql.rpartition(" ")[0] for sql in executed if "VALIDATE" in sql] == [
        'ALTER TABLE "things_thing" VALIDATE CONSTRAINT'
    ] * 2
    others = [sql for sql in executed if "CONSTRAINT" not in sql]
    assert len(others) == 5
    assert all("INDEX CONCURRENTLY" in sql for sql in others)
    assert others[-1] == 'DROP INDEX CONCURRENTLY IF EXISTS "thing_by_number"'


@pytest.mark.parametrize("at", range(8))
def test_an_interrupted_migration_is_run_again(state, at):
    before = state.clone()
    with statements(interrupt_at=at) as executed:
        try:
            for operation in OPERATIONS:
                apply(operation, state)
        except Interrupted:
            assert len(executed) == at
        else:
            assert len(executed) <= at

    for operation in OPERATIONS:
        apply(operation, before)

    assert run_sql("SELECT count(*) FROM things_thing") == [(2,)]
    assert_is_complete()


def test_an_invalid_index_is_made_anew(state):
    if IS_SQLITE:
        return  # no index is invalid there
    apply(OPERATIONS[0], state)
    run_sql("CREATE INDEX thing_by_text ON things_thing (number)")
    run_sql(
        "UPDATE pg_index SET indisvalid = false "
        "WHERE indexrelid = 'thing_by_text'::regclass"
    )

    apply(OPERATIONS[1], state)

    assert_is_complete()


def test_rows_that_do_not_meet_a_constraint_are_reported(state):
    run_sql("INSERT INTO things_thing (text, number) VALUES ('c', 0)")

    with pytest.raises(IntegrityError):
        apply(OPERATIONS[0], state)

    assert run_sql("SELECT count(*) FROM things_thing") == [(3,)]


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_only_the_index_of_the_field_itself_is_removed(state, is_interrupted):
    indexed = models.IntegerField(db_index=True)
    apply(migrations.AlterField("Thing", "number", indexed), state)
    apply(OPERATIONS[1], state)
    apply(
        AddIndexes("Thing", [models.Index(fields=["number"], name="thing_by_number")]),
        state,
    )
    before = state.clone()
    remove = RemoveFieldIndex("Thing", "number", models.IntegerField())
    if is_interrupted:
        with pytest.raises(Interrupted), statements(interrupt_at=0):
            apply(remove, state)

    with statements() as executed:
        apply(remove, before)
        apply(remove, before)

    (dropped,) = executed
    assert ("CONCURRENTLY" in dropped) is not IS_SQLITE
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "things_thing")
    assert {
        name
        for name, found in constraints.items()
        if found["index"] and found["columns"] == ["number"]
    } == {"thing_once", "thing_by_number"}


def test_storage_parameters_are_set_again_and_on_postgresql_only(state):
    setting = SetStorage("Thing", {"autovacuum_vacuum_scale_factor": 0.02})

    with statements() as executed:
        apply(setting, state)
        apply(setting, state)

    if IS_SQLITE:
        assert executed == []
        return
    assert run_sql(
        "SELECT reloptions FROM pg_class WHERE relname = 'things_thing'"
    ) == [(["autovacuum_vacuum_scale_factor=0.02"],)]
