"""Migrations keep the previous release running: "Changing tables" in docs/deploy.md.

During an update both releases use the tables, and the older one may be restored. So a
migration only adds, relaxes constraints, and locks no table for long. The first one
creates the tables.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from notifications.db.operations import (
    AddIndexes,
    RemoveFieldIndex,
    ReplaceConstraints,
    SetStorage,
)

pytestmark = pytest.mark.one_database

# Migration → why it must break the rule, and what the update has to do.
ALLOWED: dict[str, str] = {}

# Operations on Python's state only.
WITHOUT_SQL = (
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
)
# Seen in a rehearsed update: the worker held one table and waited for the other.
DEADLOCK = "it and a worker may wait for each other; make one migration for each"
KEEPS_THE_TABLE = "keeps the table while it is made: CONCURRENTLY on PostgreSQL"


def broken_rules(migration: Migration, state: ProjectState) -> Iterator[str]:
    """Why a migration breaks the rule; ``state`` is the state before it."""
    new: set[str] = set()
    old: set[str] = set()
    for operation in migration.operations:
        if isinstance(operation, migrations.CreateModel):
            new.add(operation.name_lower)
        if problem := _problem(operation, migration, state, new):
            yield f"{operation.describe()}: {problem}."
        if isinstance(operation, migrations.AddField) and migration.atomic:
            old |= {operation.model_name_lower} - new
        operation.state_forwards(migration.app_label, state)
    if len(old) > 1:
        yield f"One transaction changes {', '.join(sorted(old))}: {DEADLOCK}."


def _problem(
    operation: Any, migration: Migration, state: ProjectState, new: set[str]
) -> str:
    """Why the previous release could not work with it, or an empty string."""
    table = getattr(operation, "model_name_lower", "")
    match operation:
        case migrations.CreateModel():
            return ""
        case _ if isinstance(operation, WITHOUT_SQL) or table in new:
            return ""
        case migrations.AddField():
            return _of_column(operation.field)
        case migrations.AlterField():
            before = state.models[migration.app_label, table]
            return _of_change(before.fields[operation.name], operation.field)
        case migrations.RemoveConstraint():
            return ""  # relaxes
        case migrations.AddIndex() | migrations.AddConstraint():
            return KEEPS_THE_TABLE
        # The rows of the older release must meet the added constraints: each dump in
        # tests/releases has rows of every kind, and these operations check all rows.
        case (
            migrations.RunPython()
            | migrations.RunSQL()
            | ReplaceConstraints()
            | AddIndexes()
            | RemoveFieldIndex()
            | SetStorage()
        ):
            return "" if not migration.atomic else "is one transaction: atomic = False"
        case migrations.SeparateDatabaseAndState():
            inner = operation.database_operations
            found = (_problem(each, migration, state, new) for each in inner)
            return next(filter(None, found), "")
    return "takes away or renames what the release before uses"


def _of_column(field: Any) -> str:
    if field.many_to_many:
        return ""
    if isinstance(field, models.GeneratedField):
        return "writes the whole table anew"
    if field.unique or field.db_index:
        return KEEPS_THE_TABLE
    has_value = field.null or field.has_db_default()
    return "" if has_value else "needs null=True or db_default: others write rows too"


def _of_change(old: Any, new: Any) -> str:
    """Labels and choices do not change the database; neither do ignored options."""
    old, new = old.clone(), new.clone()
    for field in (old, new):
        field.set_attributes_from_name("column")
        field.model = models.Model  # for the SQL of ``db_default``
    editor = connection.schema_editor(collect_sql=True)
    changes = editor._field_should_be_altered(old, new)
    return "changes a column that the release before uses" if changes else ""


def test_migrations_leave_the_older_release_working():
    loader = MigrationLoader(None)
    ours = sorted(
        name for app, name in loader.disk_migrations if app == "notifications"
    )
    found: dict[str, list[str]] = {}
    for name in ours[1:]:
        key = ("notifications", name)
        state = loader.project_state(key, at_end=False)
        if problems := [*broken_rules(loader.disk_migrations[key], state)]:
            found[name] = problems

    assert {name: found[name] for name in found if name not in ALLOWED} == {}
    # An unused reason could excuse a future mistake.
    assert [name for name in ALLOWED if name not in found] == []


TEXT = models.CharField(max_length=20)
INDEX = models.Index(fields=["text"], name="i")
STORAGE = {"autovacuum_vacuum_scale_factor": 0.02}
CHECK = models.CheckConstraint(condition=~models.Q(text=""), name="thing_has_text")


@pytest.mark.parametrize(
    ("operation", "problem"),
    [
        (migrations.AddField("Thing", "a", models.TextField(null=True)), ""),
        (migrations.AddField("Thing", "a", models.IntegerField(db_default=0)), ""),
        (migrations.AddField("Thing", "a", models.IntegerField(default=0)), "needs null"),
        (migrations.AddField("Thing", "a", models.DateField(null=True, db_index=True)), "keeps"),
        (migrations.AlterField("Thing", "text", models.CharField("word", max_length=20)), ""),
        (migrations.AlterField("Thing", "text", models.CharField(max_length=30)), "changes"),
        (migrations.RemoveField("Thing", "text"), "takes away"),
        (migrations.RenameField("Thing", "text", "word"), "takes away"),
        (migrations.DeleteModel("Thing"), "takes away"),
        (migrations.AddIndex("Thing", INDEX), "keeps"),
        (migrations.RemoveConstraint("Thing", "thing_has_text"), ""),
        (migrations.AddConstraint("Thing", CHECK), "keeps"),
        (ReplaceConstraints("Thing", ["thing_has_text"], [CHECK]), "is one transaction"),
        (AddIndexes("Thing", [INDEX]), "is one transaction"),
        (RemoveFieldIndex("Thing", "text", TEXT), "is one transaction"),
        (SetStorage("Thing", STORAGE), "is one transaction"),
        (migrations.RunSQL("UPDATE thing SET text = ''"), "is one transaction"),
        (migrations.SeparateDatabaseAndState([migrations.DeleteModel("Thing")]), "takes away"),
        (migrations.SeparateDatabaseAndState([], [migrations.DeleteModel("Thing")]), ""),
    ],
    ids=lambda value: value.describe()[:40] if hasattr(value, "describe") else "",
)  # fmt: skip
def test_what_breaks_the_rule_is_found(operation, problem):
    state = ProjectState()
    migrations.CreateModel(
        "Thing", [("text", TEXT)], options={"constraints": [CHECK]}
    ).state_forwards("things", state)
    migration = Migration("next", "things")
    migration.operations = [operation]

    (said,) = [*broken_rules(migration, state)] or [""]

    assert problem in said
    assert bool(problem) == bool(said)


@pytest.mark.parametrize(
    "operation",
    [
        ReplaceConstraints("Thing", [], [CHECK]),
        AddIndexes("Thing", [INDEX]),
        RemoveFieldIndex("Thing", "text", TEXT),
        SetStorage("Thing", STORAGE),
    ],
    ids=lambda operation: operation.describe(),
)
def test_operations_that_block_nobody_need_a_migration_of_several_transactions(
    operation,
):
    state = ProjectState()
    migrations.CreateModel("Thing", [("text", TEXT)]).state_forwards("things", state)
    migration = Migration("next", "things")
    migration.operations, migration.atomic = [operation], False

    assert [*broken_rules(migration, state)] == []


def test_a_new_table_is_free_to_have_everything():
    state = ProjectState()
    migration = Migration("next", "things")
    migration.operations = [
        migrations.CreateModel("Thing", [("text", TEXT)]),
        migrations.AddIndex("Thing", models.Index(fields=["text"], name="i")),
    ]

    assert [*broken_rules(migration, state)] == []


def test_one_migration_changes_one_table():
    state = ProjectState()
    for name in ("Thing", "Word"):
        migrations.CreateModel(name, [("text", TEXT)]).state_forwards("things", state)
    migration = Migration("next", "things")
    migration.operations = [
        migrations.AddField(name, "a", models.TextField(null=True))
        for name in ("Thing", "Word")
    ]

    (said,) = broken_rules(migration, state)

    assert said.startswith("One transaction changes thing, word: ")
