"""Operations of migrations on tables with rows, which both releases use meanwhile.

They block no other query for long on PostgreSQL, and can be run again after an
interruption. Put them into a migration with ``atomic = False``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class ReplaceConstraints(Operation):
    """Remove the constraints ``removed`` of a model and add ``added``.

    A name may be in both. PostgreSQL replaces all of them in one statement, so none is
    missing meanwhile, and checks the rows afterwards, without a lock against writers.
    SQLite writes the table anew, once for all of them. Every row must meet the added
    constraints, also those that the older release writes.
    """

    reversible = False

    def __init__(
        self,
        model_name: str,
        removed: Sequence[str],
        added: Sequence[models.CheckConstraint],
    ) -> None:
        self.model_name = model_name
        self.removed = removed
        self.added = added

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for name in self.removed:
            state.remove_constraint(app_label, self.model_name_lower, name)
        for constraint in self.added:
            state.add_constraint(app_label, self.model_name_lower, constraint)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        editor: Any = schema_editor
        if editor.connection.vendor == "sqlite":
            with transaction.atomic(editor.connection.alias):
                editor._remake_table(model)
            return
        table = editor.quote_name(model._meta.db_table)
        names = dict.fromkeys([*self.removed, *(added.name for added in self.added)])
        changes = [
            *(f"DROP CONSTRAINT IF EXISTS {editor.quote_name(name)}" for name in names),
            *(
                f"ADD {constraint.constraint_sql(model, editor)} NOT VALID"
                for constraint in self.added
            ),
        ]
        # Without parameters, a percent sign is no placeholder.
        editor.execute(f"ALTER TABLE {table} {', '.join(changes)}", params=None)
        for constraint in self.added:
            name = editor.quote_name(constraint.name)
            editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")

    def describe(self) -> str:
        return f"Replace constraints of {self.model_name}"


class AddIndexes(Operation):
    """Add indexes, and unique constraints with a condition, which are indexes as well.

    On PostgreSQL, others write rows meanwhile. The indexes ``removed``, which those
    replace, are removed afterwards, so that no query is without one.
    """

    reversible = False

    def __init__(
        self,
        model_name: str,
        indexes: Sequence[models.Index],
        unique: Sequence[models.UniqueConstraint] = (),
        removed: Sequence[str] = (),
    ) -> None:
        self.model_name = model_name
        self.indexes = indexes
        self.unique = unique
        self.removed = removed

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for index in self.indexes:
            state.add_index(app_label, self.model_name_lower, index)
        for constraint in self.unique:
            state.add_constraint(app_label, self.model_name_lower, constraint)
        for name in self.removed:
            state.remove_index(app_label, self.model_name_lower, name)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        editor: Any = schema_editor
        way = "" if editor.connection.vendor == "sqlite" else " CONCURRENTLY"
        items: list[Any] = [*self.indexes, *self.unique]
        for item in items:
            # An interrupted CREATE INDEX CONCURRENTLY leaves an invalid index.
            name = editor.quote_name(item.name)
            editor.execute(f"DROP INDEX{way} IF EXISTS {name}")
            statement = str(item.create_sql(model, editor))
            editor.execute(
                statement.replace(" INDEX ", f" INDEX{way} ", 1), params=None
            )
        for removed in self.removed:
            name = editor.quote_name(removed)
            editor.execute(f"DROP INDEX{way} IF EXISTS {name}")

    def describe(self) -> str:
        return f"Add indexes of {self.model_name}"


class RemoveFieldIndex(Operation):
    """Remove the index of a field itself: ``field`` has ``db_index=False``.

    For a field with which another index begins.
    """

    reversible = False

    def __init__(
        self, model_name: str, name: str, field: "models.Field[Any, Any]"
    ) -> None:
        self.model_name = model_name
        self.name = name
        self.field = field

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.alter_field(
            app_label,
            self.model_name_lower,
            self.name,
            self.field,
            preserve_default=True,
        )

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        editor: Any = schema_editor
        way = "" if editor.connection.vendor == "sqlite" else " CONCURRENTLY"
        # Also an index that an interrupted removal left invalid.
        names = editor._constraint_names(
            model,
            [model._meta.get_field(self.name).column],
            index=True,
            unique=False,
            primary_key=False,
            exclude={index.name for index in model._meta.indexes},
        )
        for name in names:
            editor.execute(f"DROP INDEX{way} IF EXISTS {editor.quote_name(name)}")

    def describe(self) -> str:
        return f"Remove the index of {self.name} of {self.model_name}"


class SetStorage(Operation):
    """Set storage parameters of a table on PostgreSQL, which blocks no other query."""

    reversible = False

    def __init__(self, model_name: str, parameters: Mapping[str, float]) -> None:
        self.model_name = model_name
        self.parameters = parameters

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """The state has no such parameters."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            return
        model: Any = to_state.apps.get_model(app_label, self.model_name)
        table = schema_editor.quote_name(model._meta.db_table)
        parameters = ", ".join(f"{n} = {v}" for n, v in self.parameters.items())
        schema_editor.execute(f"ALTER TABLE {table} SET ({parameters})")

    def describe(self) -> str:
        return f"Set storage parameters of {self.model_name}"
