"""No index begins with the columns of another: each costs disk, and a write per row."""

import json
from collections.abc import Iterator
from itertools import permutations

import pytest
from django.apps import apps
from django.db import connection

pytestmark = pytest.mark.django_db

# Table, index, whether unique, columns (of PostgreSQL with the operator class), condition.
INDEXES = {
    "postgresql": """
SELECT t.relname, i.relname, x.indisunique,
    (SELECT json_agg(pg_get_indexdef(i.oid, k, false) || ' ' || x.indclass[k - 1]
        ORDER BY k) FROM generate_series(1, x.indnkeyatts) AS k)::text,
    coalesce(pg_get_expr(x.indpred, x.indrelid), '')
FROM pg_index AS x
JOIN pg_class AS i ON i.oid = x.indexrelid JOIN pg_class AS t ON t.oid = x.indrelid
""",
    "sqlite": """
SELECT t.name, i.name, i."unique",
    (SELECT json_group_array(column_name) FROM (
        SELECT coalesce(x.name, m.sql) AS column_name
        FROM pragma_index_xinfo(i.name) AS x WHERE x.key ORDER BY x.seqno)),
    CASE WHEN i.partial THEN substr(m.sql, instr(m.sql, ' WHERE ')) ELSE '' END
FROM sqlite_master AS t JOIN pragma_index_list(t.name) AS i
LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = i.name
WHERE t.type = 'table'
""",
}


def superfluous() -> Iterator[str]:
    """The indexes whose columns another index of the table begins with."""
    ours = {
        model._meta.db_table
        for model in apps.get_app_config("notifications").get_models()
    }
    with connection.cursor() as cursor:
        cursor.execute(INDEXES[connection.vendor])
        indexes = [row for row in cursor.fetchall() if row[0] in ours]
    assert len(indexes) > 50
    for one, other in permutations(indexes, 2):
        table, name, is_unique, columns, condition = one
        begins = json.loads(other[3])[: len(json.loads(columns))]
        is_same = (other[0], other[4]) == (table, condition)
        if is_same and not is_unique and begins == json.loads(columns):
            yield f"{name}: {other[1]}"


def test_no_index_begins_another():
    assert [*superfluous()] == []


def test_a_superfluous_index_is_seen():
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX superfluous ON notifications_delivery (group_id)")

    assert [*superfluous()] == ["superfluous: delivery_by_group"]
