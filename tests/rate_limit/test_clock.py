"""Which clock the engine goes by."""

import pytest
from django.db import connection

from notifications.rate_limit.clock import POSTGRESQL, EngineClock, engine_clock

pytestmark = pytest.mark.django_db


def test_the_clock_is_the_servers_where_there_is_one():
    clock = engine_clock()

    assert (clock.boot_id == POSTGRESQL) is (connection.vendor == "postgresql")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
            (server,) = cursor.fetchone()
        assert clock.now() == pytest.approx(server, abs=5)


def test_a_moment_is_turned_into_one_of_the_machine():
    clock = EngineClock("x", lambda: 50.0, ahead=1000.0)

    assert clock.now() == 1050.0
    assert clock.on_machine(1051.5) == 51.5


def test_reading_leaves_a_machines_clock_alone():
    clock = EngineClock("boot", lambda: 50.0)

    clock.read_database()

    assert clock.ahead == 0.0
