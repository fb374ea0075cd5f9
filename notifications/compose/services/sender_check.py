"""Asks Tencent whether the sender account of a group message exists.

Tencent refuses a message from an account that does not exist, for each group. The worker
asks, because only it has the key; its answer is valid for a short time.
"""

from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from notifications import permissions
from notifications.compose.services.member_check import short_client, stored_outcome
from notifications.delivery.explanations import explain_reading
from notifications.delivery.heartbeat import has_live_worker
from notifications.delivery.requests import FAILED, ask, wait_for_answer
from notifications.models import Notification, WorkerRequest
from notifications.models.worker_requests import VALID_FOR
from notifications.permissions import require
from notifications.tencent.calls.account_check import AccountCheck

# How long the page waits for the worker.
ANSWER_SECONDS = 4.0


def sender_problem(user: User, notification: Notification) -> str:
    """Why the sender account is refused or not known; empty if it exists.

    Waits for the worker, so call it outside of a transaction. ``require_sender`` accepts
    the answer for some time. Raises ``PermissionDenied``.
    """
    require(user, permissions.SEND)
    account = notification.options.from_account
    if not account:
        return ""
    request = ask(user, WorkerRequest.Kind.SENDER, {"account": account})
    if request.answer is None and not has_live_worker():
        return _(
            "No worker is running, so Tencent cannot be asked whether the sender "
            "account %(account)s exists. Start one."
        ) % {"account": account}
    try:
        answer = wait_for_answer(request, ANSWER_SECONDS, keep=True)
    except ValidationError as error:
        return error.messages[0]
    if answer is None:
        return _(
            "Tencent was asked whether the sender account %(account)s exists. There is "
            "no answer yet: try again in a few seconds."
        ) % {"account": account}
    if answer.get("exists"):
        return ""
    request.delete()  # the next check asks again
    return _sentence(account, answer)


def _sentence(account: str, answer: dict[str, Any]) -> str:
    if FAILED in answer:
        return _(
            "The worker could not check the sender account %(account)s. Its log has the "
            "reason."
        ) % {"account": account}
    if failure := answer["failure"]:
        outcome = stored_outcome(failure)
        why = explain_reading(outcome.error_code, outcome.reason or "")
        return _("The sender account %(account)s could not be checked: %(why)s") % {
            "account": account,
            "why": f"{why.meaning} {why.remedy}",
        }
    return _(
        "There is no account %(account)s in this application. Change the sender account, "
        "or leave it empty."
    ) % {"account": account}


def require_sender(user: User, notification: Notification) -> None:
    """Raise ``ValidationError`` unless ``user`` had the sender account checked lately."""
    account = notification.options.from_account
    if not account:
        return
    asked = WorkerRequest.objects.filter(
        requested_by=user,
        kind=WorkerRequest.Kind.SENDER,
        created_at__gte=timezone.now() - 2 * VALID_FOR,
    ).first()
    exists = (
        asked is not None
        and asked.parameters == {"account": account}
        and (asked.answer or {}).get("exists")
    )
    if not exists:
        raise ValidationError(
            _("The sender account %(account)s was not checked. Send again.")
            % {"account": account}
        )


def answer(user: User, parameters: dict[str, Any]) -> dict[str, Any]:
    """Whether the account exists, as JSON values: the handler of the worker."""
    require(user, permissions.SEND)
    account = parameters["account"]
    with short_client() as client:
        while True:
            failure = client.connect()
            if failure is not None:
                return {"exists": False, "failure": asdict(failure)}
            response = client.call(AccountCheck([account]))
            if not response.outcome.retry_with_new_signature:
                break
    if response.data is None:
        return {"exists": False, "failure": asdict(response.outcome)}
    return {"exists": account in response.data, "failure": None}
