"""The second transaction runs in the middle of the first one, or waits for its lock."""

import pytest
from django.db import transaction

from notifications.models import SendingSwitch
from tests.interleaving import interleave

pytestmark = pytest.mark.django_db(transaction=True)


def between() -> None:
    """The point at which the first side stops."""


def _name() -> str:
    return SendingSwitch.objects.get().changed_by


def _write(name: str, *, stop: bool = False) -> str:
    with transaction.atomic():
        switch = SendingSwitch.objects.select_for_update().get()
        before = switch.changed_by
        if stop:
            between()
        SendingSwitch.objects.update(changed_by=name)
        return before


@pytest.fixture(autouse=True)
def _switch() -> None:
    SendingSwitch.objects.get_or_create(pk=1)


def test_the_second_side_runs_in_the_middle_of_the_first() -> None:
    def first() -> tuple[str, str]:
        before = _name()
        between()
        return before, _name()

    values, _ = interleave(first, lambda: _write("second"), at=f"{__name__}.between")

    assert values == ("", "second")


def test_the_second_side_waits_for_the_lock_of_the_first() -> None:
    results = interleave(
        lambda: _write("first", stop=True),
        lambda: _write("second"),
        at=f"{__name__}.between",
    )

    assert results == ("", "first")
    assert _name() == "second"


def test_an_exception_is_the_result_of_its_side() -> None:
    def fails() -> None:
        raise ValueError("second")

    def first() -> None:
        between()

    _, error = interleave(first, fails, at=f"{__name__}.between")

    assert isinstance(error, ValueError)


def test_a_point_that_is_never_reached_fails_the_test() -> None:
    with pytest.raises(AssertionError, match="between was not called"):
        interleave(lambda: None, lambda: None, at=f"{__name__}.between")
