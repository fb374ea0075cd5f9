"""Errors of single rows, which are no outage of the database."""

from django.db import DatabaseError, InterfaceError, connection

# For a row that the database cannot return, or whose values have no form in Python or JSON.
ROW_ERRORS = (
    DatabaseError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


def is_outage() -> bool:
    """Whether the database fails for other rows as well; call it after such an error.

    The class of the error does not show it: SQLite raises ``OperationalError`` for a
    text that is not UTF-8 as for a locked file.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except (DatabaseError, InterfaceError):
        return True
    return False
