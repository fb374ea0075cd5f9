"""Rows for tests: plain functions with realistic defaults.

Each function returns a saved row. Tests pass the values that they are about; the
defaults of the others give a row that the application could have created.
"""

import time
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
)
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import Group, User
from django.test import Client

from notifications import audit_log, permissions
from notifications.compose.audit_events import DRAFT_SAVED
from notifications.models import (
    AMENDING,
    Archive,
    Attempt,
    AuditEntry,
    Capability,
    Channel,
    ChatGroup,
    Delivery,
    DeliveryQuery,
    DraftVersion,
    Notification,
    Seal,
)
from notifications.record import sealing
from notifications.record.archive import seal_archive
from notifications.record.draft_versions import keep_version
from notifications.record.sealing import seal_notification, sealable
from notifications.tencent.outcomes import Reason

PASSWORD = "correct horse battery"
MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WORKER = 1

_numbers = count(1)


def make_user(
    role: str | None = None,
    *,
    username: str = "lin.mei",
    superuser: bool = False,
    **kwargs: Any,
) -> User:
    """An active user; ``role`` is a name of ``notifications.permissions``."""
    values = {"is_staff": True, "is_superuser": superuser} | kwargs
    user = User.objects.create_user(username, password=PASSWORD, **values)
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    return user


def prove(client: Client) -> None:
    """Record that the logged-in person has just given the password."""
    session = client.session
    person = User.objects.get(pk=session[SESSION_KEY])
    record_authentication(SimpleNamespace(session=session), person, "password")
    session.save()


def make_app(person: User) -> Authenticator:
    """An authenticator app that is set up."""
    return TOTP.activate(person, generate_totp_secret()).instance


def code_of(app: Authenticator | str, *, steps: int = 0) -> str:
    """The app's code now, or ``steps`` of 30 seconds later; one step off is accepted.

    ``app`` may be the key, while it is being set up.
    """
    key = app if isinstance(app, str) else decrypt(app.data["secret"])
    return format_hotp_value(hotp_value(key, int(time.time()) // 30 + steps))


def wrong_code(app: Authenticator) -> str:
    near = {code_of(app, steps=steps) for steps in range(-3, 4)}
    return next(code for code in map(str, range(100_000, 100_008)) if code not in near)


def make_group(**kwargs: Any) -> ChatGroup:
    """A chat group in use, of type Public by default."""
    number = next(_numbers)
    values = {
        "group_id": f"@TGS#G{number}",
        "name": f"广场 Plaza {number}",
        "type": "Public",
        "member_count": 120,
    } | kwargs
    return ChatGroup.objects.create(**values)


def make_notification(**kwargs: Any) -> Notification:
    """A draft, or with ``status=`` a sent notification; by ``lin.mei`` by default."""
    status = kwargs.get("status", Notification.Status.DRAFT)
    sender = kwargs.get("sender") or _sender()
    values: dict[str, Any] = {
        "sender": sender,
        "sender_name": sender.get_username(),
        "written_by": sender,
        "written_by_name": sender.get_username(),
        "content": "Maintenance tonight from 23:00. 今晚 23:00 维护。",
        "audience": Notification.Audience.EVERY,
    }
    if status not in (Notification.Status.DRAFT, Notification.Status.SCHEDULED):
        values["sent_at"] = MOMENT
    if status == Notification.Status.SENDING:
        values["watched_since"] = MOMENT
    if status in Notification.ENDED:
        values["finished_at"] = MOMENT + timedelta(minutes=1)
    if status == Notification.Status.PAUSED:
        values["paused_reason"] = Notification.PauseReason.PERSON
        values["paused_by"] = sender.get_username()
    return Notification.objects.create(**values | kwargs)


def _sender() -> User:
    sender = User.objects.filter(username="lin.mei").first()
    return sender or make_user(permissions.COMMUNITY_MANAGER)


def make_saved_draft(**kwargs: Any) -> Notification:
    """A draft with its version and the audit entry of the save."""
    draft = make_notification(**kwargs)
    version = keep_version(draft, draft.sender_name)
    audit_log.write(DRAFT_SAVED, draft.sender_name, notification=draft.pk, **version)
    return draft


def make_capability(name: str, answer: str, **kwargs: Any) -> Capability:
    """What a probe found out about the application of the settings."""
    values: dict[str, Any] = {
        "sdk_app_id": int(settings.IM_SDK_APP_ID),
        "group_id": "@TGS#probe",
        "probed_by": "admin",
        "probed_at": MOMENT,
    }
    return Capability.objects.create(name=name, answer=answer, **values | kwargs)


def make_draft_version(**kwargs: Any) -> DraftVersion:
    """The first version of a draft that was deleted."""
    values = {
        "notification_number": 100_000 + next(_numbers),
        "number": 1,
        "saved_at": MOMENT,
        "author": "lin.mei",
        "author_number": 1,
        "content": "Maintenance tonight.",
        "audience": Notification.Audience.EVERY,
    } | kwargs
    return DraftVersion.objects.create(**values)


def make_amendment(original: Notification, **kwargs: Any) -> Notification:
    """A recall of ``original`` that is being sent, or with ``channel=`` a correction."""
    values: dict[str, Any] = {
        "status": Notification.Status.SENDING,
        "channel": Channel.RECALL,
        "amends": original,
        "content": "Wrong date 日期有误",
    } | kwargs
    if values["channel"] == Channel.CORRECTION:
        values.setdefault("message_options", original.message_options)
    return make_notification(**values)


def make_amending(
    amendment: Notification, amended: Delivery, **kwargs: Any
) -> Delivery:
    """The delivery of a recall or a correction for the message of ``amended``."""
    values: dict[str, Any] = {
        "group_id": amended.group_id,
        "group_name": amended.group_name,
        "group_type": amended.group_type,
        "portion": amended.portion,
        "amended_delivery": amended.pk,
    } | kwargs
    values = ending_fields(values.get("status", Delivery.Status.QUEUED)) | values
    if values.get("attempt_count"):
        values.setdefault("msg_seq", amended.msg_seq or 1)
    return make_delivery(amendment, ChatGroup(group_id=amended.group_id), **values)


def make_delivery(
    notification: Notification | None = None,
    group: ChatGroup | None = None,
    **kwargs: Any,
) -> Delivery:
    """A delivery to ``group``, with the fields that its ``status=`` requires.

    A group message has a number once it was called; a recall or a correction has the
    name of a message.
    The default notification has the status "sending".
    """
    notification = notification or make_notification(status=Notification.Status.SENDING)
    group = group or make_group()
    values: dict[str, Any] = {
        "notification": notification,
        "group_id": group.group_id,
        "group_name": group.name,
        "group_type": group.type,
        "sender_name": notification.sender_name,
        "recipients": "" if group.all_members_only else notification.recipients,
        "channel": notification.channel,
        "created_at": MOMENT,
        "not_before": MOMENT,
    }
    status = kwargs.get("status", Delivery.Status.QUEUED)
    values |= ending_fields(status) | kwargs
    if values["channel"] == Channel.GROUP_MESSAGE:
        options = notification.options
        values = {
            "mention_all": options.mention_all,
            "online_only": options.online_only,
            "no_unread": options.no_unread,
            "no_last_message": options.no_last_message,
            "random": next(_numbers) if values.get("attempt_count") else None,
        } | values
    if values["channel"] in AMENDING:
        number = next(_numbers)
        values = {
            "recipients": "",
            "amended_delivery": 1_000_000 + number,
            "msg_seq": number if values.get("attempt_count") else None,
        } | values
    return Delivery.objects.create(**values)


def make_ended_amendment(
    sent: Notification, channel: str = Channel.RECALL, **kwargs: Any
) -> Notification:
    """A recall or a correction of ``sent``, with a row for each of its deliveries.

    ``kwargs`` are those of the deliveries; by default all of them were changed.
    """
    texts = {Channel.RECALL: "wrong date", Channel.CORRECTION: "Maintenance tomorrow."}
    run = make_notification(
        status=Notification.Status.COMPLETED,
        channel=channel,
        amends=sent,
        content=texts[Channel(channel)],
        audience_count=sent.deliveries.count(),
        message_options=sent.message_options if channel == Channel.CORRECTION else "",
    )
    for amended in sent.deliveries.order_by("-pk"):
        copied = ("group_id", "group_name", "group_type", "portion")
        make_delivery(
            run,
            **{name: getattr(amended, name) for name in copied}
            | {
                "group": ChatGroup.objects.get(group_id=amended.group_id),
                "amended_delivery": amended.pk,
                "msg_seq": amended.msg_seq or 1,
                "status": Delivery.Status.ACCEPTED,
            }
            | kwargs,
        )
    return run


def ending_fields(status: str) -> dict[str, Any]:
    """The other fields of a delivery with that status."""
    finished = {"finished_at": MOMENT + timedelta(seconds=1), "attempt_count": 1}
    match status:
        case Delivery.Status.SENDING:
            return {"owner": WORKER, "claimed_at": MOMENT, "attempt_count": 1}
        case Delivery.Status.ACCEPTED:
            return finished | {"error_code": 0}
        case Delivery.Status.FAILED:
            return finished | {
                "error_code": 10010,
                "error_info": "group not exist or has been dismissed",
            }
        case Delivery.Status.UNCONFIRMED:
            return finished | {"reason": Reason.NO_ANSWER.value}
        case Delivery.Status.CANCELLED:
            return finished | {"attempt_count": 0}
        case _:
            return {}


def make_attempt(delivery: Delivery | None = None, **kwargs: Any) -> Attempt:
    """The next attempt of ``delivery``, with the fields its ``outcome=`` requires."""
    delivery = delivery or make_delivery(status=Delivery.Status.ACCEPTED)
    outcome = kwargs.get("outcome", Attempt.Outcome.ACCEPTED)
    values: dict[str, Any] = {
        "delivery": delivery,
        "number": delivery.attempts.count() + 1,
        "worker": WORKER,
        "started_at": MOMENT,
        "finished_at": MOMENT + timedelta(milliseconds=80),
        "outcome": outcome,
    }
    match outcome:
        case Attempt.Outcome.ACCEPTED:
            values |= {"http_status": 200, "action_status": "OK", "error_code": 0}
        case Attempt.Outcome.REJECTED:
            values |= {
                "http_status": 200,
                "action_status": "FAIL",
                "error_code": 10010,
                "error_info": "group not exist or has been dismissed",
            }
        case Attempt.Outcome.NOT_SENT:
            values["reason"] = Reason.REFUSED.value
        case Attempt.Outcome.UNCONFIRMED:
            values["reason"] = Reason.NO_ANSWER.value
        case Attempt.Outcome.WORKER_LOST:
            values["reason"] = Reason.WORKER_LOST.value
    return Attempt.objects.create(**values | kwargs)


def make_query(delivery: Delivery, **kwargs: Any) -> DeliveryQuery:
    """The next query about ``delivery``, which was not confirmed."""
    number = kwargs.get("number") or delivery.queries.count() + 1
    asked_at = MOMENT + timedelta(minutes=number)
    return DeliveryQuery.objects.create(
        **{
            "delivery": delivery,
            "number": number,
            "kind": DeliveryQuery.Kind.HISTORY,
            "worker": WORKER,
            "started_at": asked_at,
            "finished_at": asked_at + timedelta(milliseconds=90),
            "request": f'[{{"GroupId":"{delivery.group_id}","ReqMsgNumber":20}}]',
            "response": '[{"ActionStatus":"OK","ErrorCode":0,"RspMsgList":[]}]',
            "verdict": DeliveryQuery.Verdict.ABSENT,
        }
        | kwargs
    )


def make_sent_entry(notification: Notification) -> None:
    """The audit entry of the send, unless there is one; call it after ``make_delivery``."""
    entries = AuditEntry.objects.filter(notification_number=notification.pk)
    if not entries.filter(action__in=AuditEntry.CREATING_DELIVERIES).exists():
        count = notification.deliveries.count()
        AuditEntry.objects.create(
            at=notification.sent_at or MOMENT,
            action={"recall": "recalled", "correction": "corrected"}.get(
                notification.channel, "sent"
            ),
            actor=notification.sender_name,
            notification_number=notification.pk,
            detail={"groups": count, "deliveries": count},
        )


def seal_ended() -> int:
    """Seal all ended notifications as if the application had sent them."""
    for notification in sealable():
        make_sent_entry(notification)
    return sealing.seal_ended()


def make_seal(notification: Notification) -> Seal:
    """The seal of an ended notification with its tallies, as the worker creates it."""
    notification.refresh_from_db()  # times with the precision of the database
    make_sent_entry(notification)
    return seal_notification(notification)


def make_archive(notification: Notification, **kwargs: Any) -> Archive:
    """The sealed archive of a notification, whose rows are still there."""
    values: dict[str, Any] = {
        "file_name": f"notification-{notification.pk}.jsonl.gz",
        "file_digest": "0" * 64,
        "deliveries": 1,
        "attempts": 1,
    }
    archive = Archive.objects.create(notification=notification, **values | kwargs)
    seal_archive(archive)
    return archive


def write_fields(**kwargs: str) -> dict[str, str]:
    """The POST data of the Write page."""
    return {
        "token": "0b4d2d3e-3c0e-4f0c-9a53-1c3f4f2d7a11",
        "audience": "chosen",
        "groups": "hikers",
        "members": "everyone",
        "recipients": "",
        "content": "Hi",
        "note": "",
    } | kwargs
