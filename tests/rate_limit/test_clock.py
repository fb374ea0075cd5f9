"""The clock of the engine."""

import math

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


@pytest.mark.parametrize(
    ("seconds", "is_set"), [(20.0, True), (-3600.0, True), (0.3, True), (0.0, False)]
)
def test_a_server_clock_that_was_set_is_noticed(monkeypatch, seconds, is_set):
    now = Ticking()
    clock = EngineClock(POSTGRESQL, now)
    server = FakeServer(now, ahead=1e9)
    monkeypatch.setattr("notifications.rate_limit.clock.execute", server)
    for _n in range(20):  # slewed by a twentieth of the time
        clock.read_database()
        server.ahead += 0.05
        now.seconds += 1
    assert clock.set_at == -math.inf

    server.ahead += seconds
    clock.read_database()

    assert (clock.set_at > 0) is is_set
    assert clock.now() == pytest.approx(now.seconds + server.ahead, abs=0.2)
    clock.read_database()
    assert (clock.set_at > now.seconds - 0.1) is is_set  # noticed once


class Ticking:
    """A clock that advances by 10 ms with each reading, and in leaps."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        self.seconds += 0.01
        return self.seconds


class FakeServer:
    """Runs the statement that reads the time of the server."""

    def __init__(self, machine: Ticking, *, ahead: float) -> None:
        self.machine = machine
        self.ahead = ahead

    def __call__(self, _sql: str) -> list[tuple[float]]:
        return [(self.machine.seconds + 0.005 + self.ahead,)]


def test_the_clock_of_a_machine_has_no_offset():
    clock = EngineClock("boot", lambda: 50.0)

    clock.read_database()

    assert clock.offset == 0.0
