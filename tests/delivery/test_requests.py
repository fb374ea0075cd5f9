"""Requests of pages to the worker."""

from unittest import mock

import pytest

from notifications.delivery import requests
from notifications.models import WorkerRequest
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_one_page_of_a_process_waits_at_a_time(monkeypatch):
    """Others are answered at once: they would occupy the threads that Stop all needs."""
    first, second = (
        requests.ask(make_user(username=name), WorkerRequest.Kind.MEMBERS, {})
        for name in ("lin.mei", "wang.fang")
    )
    answers = []

    def wait_beside_the_first() -> None:
        monkeypatch.setattr(requests, "wait", mock.Mock(side_effect=AssertionError))
        answers.append(requests.wait_for_answer(second, 60))
        WorkerRequest.objects.filter(pk=first.pk).update(answer={"complete": []})

    monkeypatch.setattr(requests, "wait", wait_beside_the_first)

    assert requests.wait_for_answer(first, 60) == {"complete": []}
    assert answers == [None]

    # The next page waits again, also after an error.
    with pytest.raises(AssertionError):
        requests.wait_for_answer(second, 60)
    with pytest.raises(AssertionError):
        requests.wait_for_answer(second, 60)
