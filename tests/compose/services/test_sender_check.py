"""The sender account of a group message is checked before it is sent."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from notifications.compose.checked import checked_of
from notifications.compose.services import sender_check
from notifications.compose.services.send import send
from notifications.compose.services.sender_check import sender_problem
from notifications.models import Delivery, WorkerRequest
from tests.factories import make_group, make_notification

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("worker_answers")]


@pytest.fixture(autouse=True)
def has_worker(monkeypatch):
    monkeypatch.setattr(sender_check, "has_live_worker", lambda: True)


def draft_from(manager, account: str):
    return make_notification(
        sender=manager,
        channel="group_message",
        message_options=f'{{"from_account": "{account}"}}',
    )


def try_to_send(manager, draft):
    return send(manager, draft.pk, digest=checked_of(manager, draft).digest())


def test_an_account_that_exists_is_checked_once(manager, sandbox):
    sandbox.add_group("hikers", "Public", members=["anna"])
    make_group()
    draft = draft_from(manager, "anna")

    assert sender_problem(manager, draft) == ""
    assert sender_problem(manager, draft) == ""
    assert sandbox.calls.codes("account_check") == [0]
    assert try_to_send(manager, draft).status == "sending"


def test_an_account_that_does_not_exist(manager, sandbox):
    make_group()
    draft = draft_from(manager, "nobody")

    assert sender_problem(manager, draft) == (
        "There is no account nobody in this application. Change the sender account, or "
        "leave it empty."
    )
    with pytest.raises(ValidationError, match="nobody was not checked"):
        try_to_send(manager, draft)
    assert Delivery.objects.count() == 0

    # It may have been created meanwhile.
    sandbox.add_group("hikers", "Public", members=["nobody"])
    assert sender_problem(manager, draft) == ""


def test_the_administrator_needs_no_check(manager, sandbox):
    make_group()
    draft = make_notification(sender=manager, channel="group_message")

    assert sender_problem(manager, draft) == ""
    assert try_to_send(manager, draft).status == "sending"
    assert not WorkerRequest.objects.exists()


def test_the_answer_about_another_account_or_an_old_one_does_not_count(
    manager, sandbox
):
    sandbox.add_group("hikers", "Public", members=["anna", "ben"])
    make_group()
    draft = draft_from(manager, "ben")
    sender_problem(manager, draft_from(manager, "anna"))
    with pytest.raises(ValidationError, match="ben was not checked"):
        try_to_send(manager, draft)

    sender_problem(manager, draft)
    request = WorkerRequest.objects.get()
    WorkerRequest.objects.update(created_at=request.created_at - timedelta(minutes=3))
    with pytest.raises(ValidationError, match="ben was not checked"):
        try_to_send(manager, draft)


def test_tencent_refuses_the_question(manager, sandbox, settings):
    settings.IM_SECRET_KEY = "another"

    problem = sender_problem(manager, draft_from(manager, "anna"))

    assert problem.startswith("The sender account anna could not be checked: ")


def test_without_an_answer(manager, monkeypatch):
    draft = draft_from(manager, "anna")
    monkeypatch.setattr(sender_check, "ANSWER_SECONDS", 0.0)
    assert "There is no answer yet" in sender_problem(manager, draft)

    monkeypatch.setattr(sender_check, "has_live_worker", lambda: False)
    assert "No worker is running" in sender_problem(manager, draft)
