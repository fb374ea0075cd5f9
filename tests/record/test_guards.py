"""The database refuses to change the record, also by SQL written by hand."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.core.checks import run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations import Migration
from django.db.models import Model

from notifications.models import (
    Archive,
    Attempt,
    AuditEntry,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
    Tally,
)
from notifications.record.guards import install as guards_install
from notifications.record.guards.rules import TABLES
from notifications.record.verification import verify
from tests.factories import (
    MOMENT,
    make_attempt,
    make_delivery,
    make_draft_version,
    make_notification,
    make_query,
)
from tests.management.running import run
from tests.record.tampering import delete, drop_guard, sql

pytestmark = pytest.mark.django_db


def make_seal() -> Seal:
    return Seal.objects.create(
        number=1,
        kind=Seal.Kind.NOTIFICATION,
        notification=make_notification(status="completed"),
        rows=0,
        digest="d" * 64,
        leaves=b"",
        head="e" * 64,
    )


def make_tally() -> Tally:
    return Tally.objects.create(
        notification=make_notification(status="completed"),
        sender_name="lin.mei",
        created_at=MOMENT,
        group_type="Public",
        status=Delivery.Status.ACCEPTED,
        error_code=0,
        count=1,
        first_delivery=1,
        last_delivery=1,
    )


def make_archive() -> Archive:
    return Archive.objects.create(
        notification=make_notification(status="completed"),
        file_name="notification-1.jsonl.gz",
        file_digest="f" * 64,
        deliveries=0,
        attempts=0,
    )


def make_message(**values: object) -> Delivery:
    """An unconfirmed group message, about which Tencent is queried."""
    notification = make_notification(status="sending", channel="group_message")
    return make_delivery(
        notification,
        **{"status": "unconfirmed", "next_query_at": MOMENT + timedelta(minutes=1)}
        | values,
    )


FACTORIES = {
    Notification: lambda: make_notification(status="completed"),
    Delivery: lambda: make_delivery(status="accepted"),
    Attempt: make_attempt,
    DeliveryQuery: lambda: make_query(make_message()),
    AuditEntry: lambda: AuditEntry.objects.create(action="sent", actor="lin.mei"),
    Seal: make_seal,
    Tally: make_tally,
    Archive: make_archive,
    DraftVersion: make_draft_version,
}
ENDED = ["accepted", "failed", "unconfirmed", "cancelled"]
FINISHED = {
    status: "notifier: a delivery that Tencent is not queried about cannot be changed"
    if status == "unconfirmed"
    else "notifier: a finished delivery cannot be changed"
    for status in ENDED
}
BY_QUERY = "notifier: only a query changes an unconfirmed delivery"
MADE_FOR = "notifier: what a delivery was made for cannot be changed"
WRITTEN = "notifier: what was written cannot be changed after it was sent"
HAS_ENDED = "notifier: a notification that has ended cannot be changed"
REMOVED = "notifier: a notification that was sent cannot be removed"
NEVER = [
    (Attempt, "an attempt"),
    (DeliveryQuery, "a query"),
    (AuditEntry, "an audit entry"),
    (Seal, "a seal"),
    (Tally, "a tally"),
    (Archive, "an archive"),
    (DraftVersion, "a version of a draft"),
]
# Frozen when it is sent; the values differ from those of the factory.
OF_THE_WRITER = {
    "version": 2,
    "sender_name": "chen.jie",
    "written_by_name": "chen.jie",
    "by_superuser": True,
    "content": "Hi",
    "note": "CM-1",
    "recipients": "amy",
    "audience": "chosen",
    "audience_values": '["g1"]',
    "audience_count": 3,
    "checked_digest": "ab",
    "created_at": MOMENT - timedelta(days=1),
}
OF_A_DELIVERY = {
    "id": 10_000,
    "group_id": "other",
    "group_name": "Other",
    "group_type": "Private",
    "sender_name": "chen.jie",
    "portion": 2,
    "recipients": "amy",
    "created_at": MOMENT - timedelta(days=1),
    "channel": "group_message",
    "mention_all": True,
    "online_only": True,
    "no_unread": True,
    "no_last_message": True,
}
ON_SQLITE = "sqlite"
ON_POSTGRESQL = "postgresql"


def update(row: Model, values: dict[str, object], verb: str = "UPDATE") -> int:
    fields = {field.column: field for field in row._meta.concrete_fields}
    sets = ", ".join(f'"{column}" = %s' for column in values)
    prepared = [
        value
        if column == "audience_values"
        else fields[column].get_db_prep_save(value, connection)
        for column, value in values.items()
    ]
    return sql(
        f'{verb} "{row._meta.db_table}" SET {sets} WHERE id = %s', [*prepared, row.pk]
    )


def refused(message: str, change, *arguments: object) -> None:
    with pytest.raises(IntegrityError, match=re.escape(message)), transaction.atomic():
        change(*arguments)


def copy_of(row: Model, **other: object) -> tuple[str, list[object]]:
    """An INSERT of the row's values, changed by ``other``, without its first word."""
    fields = row._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = [
        field.get_db_prep_save(
            other.get(field.name, field.value_from_object(row)), connection
        )
        for field in fields
    ]
    places = ", ".join(["%s"] * len(fields))
    return f'INTO "{row._meta.db_table}" ({columns}) VALUES ({places})', values


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    "values",
    [
        {"status": "queued", "finished_at": None},
        {"error_info": "x"},
        {"finished_at": MOMENT + timedelta(hours=1)},
        {"attempt_count": 7},
        {"not_before": MOMENT + timedelta(hours=1)},
    ],
)
def test_a_finished_delivery_stays_as_it_is(status, values):
    row = make_delivery(status=status)

    refused(FINISHED[status], update, row, values)


@pytest.mark.parametrize(("column", "value"), OF_A_DELIVERY.items())
def test_what_a_delivery_was_made_for_stays(column, value):
    row = make_delivery(make_notification(status="sending"))

    refused(MADE_FOR, update, row, {column: value})


def test_a_delivery_stays_with_its_notification():
    other = make_notification(status="sending")

    refused(MADE_FOR, update, make_delivery(), {"notification_id": other.pk})


def test_what_the_engine_does_is_allowed():
    row = make_delivery()

    assert update(row, {"status": "sending", "owner": 1, "claimed_at": MOMENT,
                        "attempt_count": 1}) == 1  # fmt: skip
    assert update(row, {"status": "failed", "owner": None, "error_code": 10010,
                        "error_info": "gone", "finished_at": MOMENT}) == 1  # fmt: skip
    refused(FINISHED["accepted"], update, row, {"error_code": 10015})


# --- unconfirmed deliveries -------------------------------------------------------

VERDICTS = [
    {"status": "accepted", "reason": "in_history", "msg_seq": 418, "msg_time": 1_700_000_000,
     "is_altered": True, "next_query_at": None},
    {"status": "accepted", "reason": "repeated", "msg_seq": 418, "next_query_at": None},
    {"status": "failed", "reason": "not_in_history", "next_query_at": None},
]  # fmt: skip


@pytest.mark.parametrize("values", VERDICTS)
@pytest.mark.parametrize("error_code", [None, 0, 10010])
def test_a_query_decides_about_an_unconfirmed_delivery(values, error_code):
    """An earlier attempt may have left its code, which the verdict clears."""
    row = make_message(error_code=error_code, error_info="rejected before")
    cleared = {"error_code": None, "error_info": ""}

    assert update(row, values | cleared) == 1

    refused(FINISHED["accepted"], update, row, {"msg_seq": 419})
    refused(FINISHED["accepted"], update, row, {"status": "unconfirmed"})


def test_a_query_is_repeated_and_given_up():
    row = make_message()

    later = {"next_query_at": MOMENT + timedelta(hours=1), "query_asked_by": "lin.mei"}
    assert update(row, later) == 1
    assert update(row, {"next_query_at": None}) == 1

    # The notification may be sealed now.
    refused(FINISHED["unconfirmed"], update, row, later)
    refused(FINISHED["unconfirmed"], update, row, VERDICTS[0])


@pytest.mark.parametrize(
    "values",
    [
        {"status": "queued", "finished_at": None, "next_query_at": None},
        {"status": "sending", "owner": 1, "claimed_at": MOMENT, "finished_at": None,
         "next_query_at": None},
        {"status": "cancelled", "next_query_at": None},
    ],
    ids=lambda values: values["status"],
)  # fmt: skip
def test_an_unconfirmed_delivery_is_not_called_again(values):
    refused(
        "notifier: an unconfirmed delivery can become accepted or failed only",
        update,
        make_message(),
        values,
    )


@pytest.mark.parametrize(
    ("column", "value"),
    {
        "finished_at": MOMENT + timedelta(hours=1),
        "attempt_count": 7,
        "rejection_count": 7,
        "not_before": MOMENT + timedelta(hours=1),
        "not_sent_streak": 1,
        "claimed_at": MOMENT,
        "random": None,
        **OF_A_DELIVERY,
        "channel": "system_notification",
    }.items(),
)
def test_only_the_verdict_of_an_unconfirmed_delivery_changes(column, value):
    refused(BY_QUERY, update, make_message(), {column: value})


def test_every_column_is_either_changed_by_a_query_or_not():
    (rule,) = (
        rule
        for table in TABLES
        if table.model is Delivery
        for rule in table.update
        if rule.refusal == BY_QUERY.removeprefix("notifier: ")
    )
    columns = {field.column for field in Delivery._meta.concrete_fields}

    assert columns - set(rule.columns) == set(Delivery.CHANGED_BY_QUERY)


def test_the_number_of_a_message_is_drawn_once():
    row = make_message(status="queued", next_query_at=None, random=None)
    assert row.random is None

    assert update(row, {"random": 77}) == 1

    for value in (78, None):
        refused(
            "notifier: the number of a message cannot be changed",
            update,
            row,
            {"random": value},
        )


def test_the_number_of_a_message_is_that_of_one_delivery():
    first = make_message()
    second = make_message(status="queued", next_query_at=None)
    verb = "UPDATE OR REPLACE" if connection.vendor == ON_SQLITE else "UPDATE"

    refused(
        "notifier: the number of a message belongs to another delivery",
        update,
        second,
        {"random": first.random},
        verb,
    )
    assert Delivery.objects.filter(pk=first.pk).exists()


def test_a_recall_takes_one_message_back():
    sent = make_notification(status="completed", channel="group_message")
    recall = make_notification(status="sending", channel="recall", amends=sent)
    row = make_delivery(recall)
    assert update(row, {"msg_seq": 418}) == 1

    for values in ({"msg_seq": 419}, {"msg_seq": None}):
        refused(
            "notifier: the message that is taken back or corrected cannot be changed",
            update,
            row,
            values,
        )
    refused(
        "notifier: what a delivery was made for cannot be changed",
        update,
        row,
        {"amended_delivery": row.amended_delivery + 1},
    )
    refused(
        "notifier: what was written cannot be changed after it was sent",
        update,
        recall,
        {"amends_id": recall.pk},
    )


@pytest.mark.parametrize("status", ["queued", "sending", *ENDED])
def test_no_delivery_is_removed(status):
    refused(
        "notifier: a delivery cannot be removed", delete, make_delivery(status=status)
    )


@pytest.mark.parametrize(("model", "noun"), NEVER)
def test_these_never_change(model, noun):
    row = FACTORIES[model]()

    refused(f"notifier: {noun} cannot be removed", delete, row)
    for field in model._meta.concrete_fields:
        value = field.value_from_object(row)
        # Even a statement that does not change the value.
        same = (
            f'UPDATE "{model._meta.db_table}" '  # noqa: S608  names of the model
            f'SET "{field.column}" = "{field.column}"'
        )
        refused(f"notifier: {noun} cannot be changed", sql, same)
        row.refresh_from_db()
        assert field.value_from_object(row) == value


@pytest.mark.parametrize(
    "status", ["scheduled", "sending", "paused", "completed", "cancelled"]
)
def test_what_was_sent_is_not_removed(status):
    row = make_notification(status=status, scheduled_for=MOMENT)

    refused(REMOVED, delete, row)


def test_a_draft_changes_and_goes():
    row = make_notification()

    for column, value in OF_THE_WRITER.items():
        assert update(row, {column: value}) == 1
    assert delete(row) == 1


@pytest.mark.parametrize("status", ["scheduled", "sending", "paused"])
@pytest.mark.parametrize(("column", "value"), OF_THE_WRITER.items())
def test_what_was_written_stays(status, column, value):
    row = make_notification(status=status, scheduled_for=MOMENT)

    refused(WRITTEN, update, row, {column: value})


@pytest.mark.parametrize("status", ["draft", "sending", "completed"])
@pytest.mark.parametrize(
    "values", [{"id": 10_000}, {"token": "0b4d2d3e3c0e4f0c9a531c3f4f2d7a11"}]
)
def test_a_notification_keeps_its_number(status, values):
    refused(
        "notifier: the number of a notification cannot be changed",
        update,
        make_notification(status=status),
        values,
    )


def test_the_sender_and_the_first_send_stay():
    row, other = (make_notification(status="sending") for _n in range(2))

    refused(WRITTEN, update, row, {"resend_of_id": other.pk})
    refused(WRITTEN, update, row, {"sender_id": row.sender_id + 1})


def test_what_was_sent_is_no_draft_again():
    refused(
        "notifier: a notification that was sent cannot become a draft again",
        update,
        make_notification(status="scheduled", scheduled_for=MOMENT),
        {"status": "draft"},
    )


def test_the_time_of_sending_stays():
    refused(
        "notifier: the time when a notification was sent cannot be changed",
        update,
        make_notification(status="paused"),
        {"sent_at": MOMENT - timedelta(days=1)},
    )


@pytest.mark.parametrize("status", ["completed", "cancelled"])
@pytest.mark.parametrize(
    "values",
    [
        {"status": "paused", "finished_at": None, "paused_reason": "person"},
        {"finished_at": MOMENT},
        {"not_after": MOMENT},
        {"watched_since": MOMENT - timedelta(days=1)},
    ],
)
def test_a_notification_that_has_ended_stays(status, values):
    refused(HAS_ENDED, update, make_notification(status=status), values)


def test_answers_after_a_stop_still_count():
    assert update(make_notification(status="cancelled"), {"doubt_streak": 4}) == 1


# --- circumventions ---------------------------------------------------------------


@pytest.mark.parametrize("model", FACTORIES)
@pytest.mark.parametrize(
    "verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "INSERT"]
)
def test_nothing_is_replaced(model, verb):
    row = FACTORIES[model]()
    rest, values = copy_of(row)
    if connection.vendor == ON_SQLITE:
        refused("exists already and cannot be replaced", sql, f"{verb} {rest}", values)
    else:
        # PostgreSQL has no such verbs, but an INSERT that becomes an UPDATE.
        sets = "content = 'x'" if model is Notification else "id = EXCLUDED.id"
        upsert = f"INSERT {rest} ON CONFLICT (id) DO UPDATE SET {sets}"
        refused("cannot be changed", sql, upsert, values)


@pytest.mark.parametrize(
    ("model", "new"),
    [
        (Notification, set()),
        (Delivery, set()),
        (Attempt, set()),
        (Seal, {"number", "previous", "notification"}),
        (Seal, {"head", "notification"}),
        (Seal, {"number", "previous", "head"}),
        (Archive, set()),
    ],
)
def test_nothing_is_replaced_under_another_number(model, new):
    """REPLACE with a new id and the same unique values removes the old row."""
    row = FACTORIES[model]()
    other = {
        "number": 99,
        "head": "f" * 64,
        "previous": "e" * 64,
        "notification": make_notification(status="completed").pk,
    }
    rest, values = copy_of(row, id=row.pk + 1000, **{name: other[name] for name in new})
    verb = "INSERT OR REPLACE" if connection.vendor == ON_SQLITE else "INSERT"
    message = "exists already" if connection.vendor == ON_SQLITE else "unique"

    refused(message, sql, f"{verb} {rest}", values)


def test_no_update_pushes_a_row_out():
    """UPDATE OR REPLACE removes the row whose unique values it takes."""
    verb = "UPDATE OR REPLACE" if connection.vendor == ON_SQLITE else "UPDATE"
    first = make_delivery()
    second = make_delivery(first.notification)
    sent, draft = make_notification(status="completed"), make_notification()

    refused(MADE_FOR, update, second, {"group_id": first.group_id}, verb)
    refused(MADE_FOR, update, second, {"id": first.pk}, verb)
    for values in ({"token": sent.token}, {"id": sent.pk}):
        refused("the number of a notification", update, draft, values, verb)


@pytest.mark.parametrize("model", FACTORIES)
def test_no_table_is_emptied(model):
    FACTORIES[model]()
    table = model._meta.db_table
    if connection.vendor == ON_SQLITE:
        refused("cannot be removed", sql, f'DELETE FROM "{table}"')  # noqa: S608  ours
    else:
        sql("SET CONSTRAINTS ALL IMMEDIATE")
        refused("cannot be emptied", sql, f'TRUNCATE "{table}" CASCADE')


def test_a_session_of_replication_is_refused_too():
    if connection.vendor == ON_SQLITE:
        return  # it has none
    row = make_delivery(status="accepted")
    sql("SET LOCAL session_replication_role = replica")

    refused(FINISHED["accepted"], update, row, {"error_info": "x"})


# --- disabled guards --------------------------------------------------------------


def test_guards_are_disabled_only_inside():
    row = make_delivery(status="accepted")
    attempt = make_attempt(row)

    with guards_install.guards_disabled():
        assert update(row, {"error_info": "x"}) == 1
        assert delete(attempt) == 1

    assert guards_install.missing() == []
    refused(FINISHED["accepted"], update, row, {"error_info": "y"})


def test_an_error_inside_rolls_back_and_enables_the_guards():
    row = make_delivery(status="accepted")

    def fail() -> None:
        with guards_install.guards_disabled():
            update(row, {"error_info": "x"})
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    row.refresh_from_db()
    assert (row.error_info, guards_install.missing()) == ("", [])
    refused(FINISHED["accepted"], update, row, {"error_info": "y"})


@pytest.mark.parametrize("value", ["on", "1", "true"])
def test_no_variable_of_a_session_disables_them(value):
    if connection.vendor == ON_SQLITE:
        return  # it has no such settings
    row = make_delivery(status="accepted")
    sql(f"SET LOCAL notifier.guards_lifted_in = '{value}'")

    refused(FINISHED["accepted"], update, row, {"error_info": "x"})


# --- missing ones -----------------------------------------------------------------


def test_all_guards_exist_after_migrate():
    """Also if a migration has rebuilt tables."""
    assert guards_install.missing() == []
    with connection.cursor() as cursor:
        if connection.vendor == ON_SQLITE:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
        triggers = {name for (name,) in cursor.fetchall()}
    third = "insert" if connection.vendor == ON_SQLITE else "truncate"
    assert triggers == {
        f"notifier_guard_{model._meta.model_name}_{event}"
        for model in FACTORIES
        for event in ("update", "delete", third)
    }


def test_a_missing_one_is_named_and_made_again():
    drop_guard("notifier_guard_delivery_delete")

    assert guards_install.missing() == ["notifier_guard_delivery_delete"]
    (warning,) = run_checks(databases=["default"], tags=["database"])
    assert (warning.id, warning.msg) == (
        "notifier.W020",
        "The guard notifier_guard_delivery_delete of the record is missing or was "
        "changed: rows of the history can be altered.",
    )
    assert "manage.py migrate" in warning.hint
    guards_install.install_after_migrate("default")
    assert guards_install.missing() == []
    assert run_checks(databases=["default"], tags=["database"]) == []


TABLE = Delivery._meta.db_table
STRANGERS = {
    "sqlite": {
        "trigger stranger": f'CREATE TRIGGER stranger AFTER INSERT ON "{TABLE}" BEGIN SELECT 1; END',
        # After the table was renamed, reads go to the view.
        f"view {TABLE}": f'CREATE VIEW "{TABLE}" AS SELECT 1 AS id',
    },
    "postgresql": {
        "trigger stranger": f'CREATE TRIGGER stranger AFTER INSERT ON "{TABLE}" '
        "FOR EACH ROW EXECUTE FUNCTION notifier_guard_seal_update()",
        "rule stranger": f'CREATE RULE stranger AS ON INSERT TO "{TABLE}" DO ALSO SELECT 1',
        "policy stranger": f'CREATE POLICY stranger ON "{TABLE}" USING (true)',
        "row security": f'ALTER TABLE "{TABLE}" ENABLE ROW LEVEL SECURITY',
        "child table child": f'CREATE TABLE child () INHERITS ("{TABLE}")',
        "rule _RETURN": f'CREATE VIEW "{TABLE}" AS SELECT 1 AS id',
    },
}


@pytest.mark.parametrize(("name", "statement"), STRANGERS[connection.vendor].items())
def test_what_may_change_or_hide_rows_is_named(name, statement):
    if "CREATE VIEW" in statement:
        sql(f'ALTER TABLE "{TABLE}" RENAME TO renamed')
    assert guards_install.unknown() == []

    sql(statement)

    assert guards_install.unknown() == [(TABLE, name)]
    if "CREATE VIEW" not in statement:
        (warning,) = run_checks(databases=["default"], tags=["database"])
        assert warning.id == "notifier.W024"
        sentence = f"has a {name} that this program did not create"
        assert sentence in warning.msg
        assert sentence in verify().differences[0]


def test_sqlite_migrates_without_them():
    """SQLite cannot drop a column that a trigger names."""
    ours = Migration("0002_next", "notifications")
    others = Migration("0013_next", "auth")

    guards_install.remove_before_migrate("default", plan=[(others, False)])
    assert guards_install.missing() == []
    guards_install.remove_before_migrate(
        "default", plan=[(others, False), (ours, False)]
    )
    all_of_them = 3 * len(FACTORIES)
    assert len(guards_install.missing()) == (
        all_of_them if connection.vendor == ON_SQLITE else 0
    )
    guards_install.install_after_migrate("default", plan=[(ours, False)])
    assert guards_install.missing() == []


def test_an_older_version_is_left_without_them():
    """The guards name columns that the older version does not have."""
    guards_install.install_after_migrate(
        "default", plan=[(Migration("0001_release_0_1_0", "notifications"), True)]
    )
    assert len(guards_install.missing()) == 3 * len(FACTORIES)
    guards_install.install_after_migrate("default")
    assert guards_install.missing() == []


GUARD = "notifier_guard_delivery_delete"
FUNCTION = (
    "FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
)
TRIGGER = f"CREATE OR REPLACE TRIGGER {GUARD} BEFORE {{}} EXECUTE FUNCTION {{}}()"
CHANGES: dict[str, list[list[str]]] = {
    "sqlite": [
        [f"DROP TRIGGER {GUARD}"],
        [
            f"DROP TRIGGER {GUARD}",
            f"CREATE TRIGGER {GUARD} BEFORE DELETE ON {TABLE} BEGIN SELECT 1; END",
        ],
    ],
    "postgresql": [
        [f"DROP TRIGGER {GUARD} ON {TABLE}"],
        [f"ALTER TABLE {TABLE} DISABLE TRIGGER {GUARD}"],
        # Not in sessions of replication any more; only there.
        [f"ALTER TABLE {TABLE} ENABLE TRIGGER {GUARD}"],
        [f"ALTER TABLE {TABLE} ENABLE REPLICA TRIGGER {GUARD}"],
        [f"CREATE OR REPLACE {FUNCTION.format(name=GUARD)}"],
        [f"ALTER FUNCTION {GUARD}() SET notifier.guards_lifted_in = '1'"],
        [TRIGGER.format(f"INSERT ON {TABLE} FOR EACH ROW", GUARD)],
        [TRIGGER.format(f"DELETE ON {TABLE} FOR EACH STATEMENT", GUARD)],
        [TRIGGER.format(f"DELETE ON {TABLE} FOR EACH ROW WHEN (OLD.id < 0)", GUARD)],
        [
            "CREATE SCHEMA other",
            f"CREATE {FUNCTION.format(name=f'other.{GUARD}')}",
            TRIGGER.format(f"DELETE ON {TABLE} FOR EACH ROW", f"other.{GUARD}"),
        ],
    ],
}


@pytest.mark.parametrize("statements", CHANGES[connection.vendor])
def test_one_that_was_changed_counts_as_missing(statements):
    for statement in statements:
        sql(statement)

    assert guards_install.missing() == [GUARD]
    assert verify().differences == [
        f"The guard {GUARD} of the record is missing or was changed."
    ]
    guards_install.install()
    assert verify().differences == []


def test_the_worker_does_not_start_without_them():
    drop_guard("notifier_guard_delivery_delete")

    code, _out, err = run("send_worker", "--until-idle")

    assert code == 2
    assert "notifier_guard_delivery_delete. Run manage.py migrate" in err


# --- flush ------------------------------------------------------------------------


def test_flush_is_refused(monkeypatch):
    row = make_delivery(status="accepted")
    monkeypatch.delattr(mail, "outbox")

    code, _out, err = run("flush", "--no-input")

    assert code == 1
    assert err.startswith("Nothing was deleted: flush would delete")
    assert Delivery.objects.get() == row


def test_the_flush_of_tests_empties_all():
    make_attempt()
    if connection.vendor == ON_POSTGRESQL:
        sql("SET CONSTRAINTS ALL IMMEDIATE")  # else TRUNCATE waits for the commit

    call_command("flush", interactive=False, verbosity=0, inhibit_post_migrate=True)

    assert (Delivery.objects.count(), guards_install.missing()) == (0, [])
