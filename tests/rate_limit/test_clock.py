"""The clock of the engine."""

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
            (server_time,) = cursor.fetchone()
        assert clock.now() == pytest.approx(server_time, abs=5)


def test_a_moment_is_converted_to_machine_time():
    clock = EngineClock("x", lambda: 50.0, offset=1000.0)

    assert clock.now() == 1050.0
    assert clock.to_machine_time(1051.5) == 51.5


def test_the_clock_of_a_machine_has_no_offset():
    clock = EngineClock("boot", lambda: 50.0)

    clock.read_database()

    assert clock.offset == 0.0
