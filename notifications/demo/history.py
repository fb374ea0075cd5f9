"""Two weeks of notifications for the demo, with every possible result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from notifications import audit_log
from notifications.amendments.audit_events import CORRECTED, RECALLED
from notifications.amendments.messages import LeftOut
from notifications.compose.audit_events import SENT
from notifications.delivery.audit_events import LATE_ANSWER, PAUSED, STOPPED
from notifications.delivery.channels import CHANNELS
from notifications.models import (
    Attempt,
    Channel,
    ChatGroup,
    Delivery,
    Notification,
    Worker,
)
from notifications.models.notifications import join_recipients

N, D, A = Notification.Status, Delivery.Status, Attempt.Outcome

MANAGER, COLLEAGUE = "lin.mei", "chen.jie"

TEXTS = [
    "The Saturday walk moves to 9:30 at the north gate because of the rain forecast.",
    "明天的直播提前到 19:30 开始，欢迎准时参加！",
    "Tickets for the show are open. Members of this group get early access.",
    "今晚 23:00–23:30 系统维护，期间消息可能延迟。",
    "New rule from 1 December: please use the marketplace for second-hand offers.",
    "周末志愿者还差五位，报名请联系群主。",
]

WRONG_KEY, BUSY = 70009, 60007

FIRST_BACKOFF = timedelta(seconds=1)


@dataclass(frozen=True)
class DemoResult:
    """The result of one delivery and its calls: (outcome, ErrorCode, reason, ms).

    ``late_answer`` is the detail of an audit entry for an answer after the end.
    """

    status: str = D.ACCEPTED
    calls: Sequence[tuple[str, int | None, str, int]] = ((A.ACCEPTED, 0, "", 84),)
    error_info: str = ""
    late_answer: dict[str, object] = field(default_factory=dict)


def _failed(code: int, error_info: str) -> DemoResult:
    return DemoResult(D.FAILED, ((A.REJECTED, code, "", 84),), error_info)


def _unconfirmed(reason: str, milliseconds: int) -> DemoResult:
    return DemoResult(D.UNCONFIRMED, ((A.UNCONFIRMED, None, reason, milliseconds),))


ACCEPTED = DemoResult()

CANCELLED = DemoResult(D.CANCELLED, ())

WAITING = DemoResult(D.QUEUED, ())

SIGNATURE_REFUSED = DemoResult(
    D.QUEUED, ((A.REJECTED, WRONG_KEY, "", 84),), "usersig check failed"
)

LATE_ACCEPTED = {"outcome": "accepted", "error_code": 0, "error_info": "", "reason": ""}

# The results of every seventh delivery, in turn; all others are accepted.
PROBLEMS = [
    _failed(10010, "group not exist or has been dismissed"),
    _unconfirmed("no_answer", 10_000),
    _failed(10015, "invalid group id"),
    DemoResult(calls=((A.REJECTED, BUSY, "", 71), (A.ACCEPTED, 0, "", 90))),
    _failed(10007, "no permission to operate the group"),
    _unconfirmed("connection_lost", 212),
    DemoResult(
        D.FAILED,
        tuple((A.REJECTED, 10002, "", 1200 + 40 * n) for n in range(4)),
        "server internal error, please try again",
    ),
    DemoResult(D.UNCONFIRMED, ((A.WORKER_LOST, None, "worker_lost", 9_400),)),
    DemoResult(
        calls=((A.NOT_SENT, None, "connect_timeout", 3050), (A.ACCEPTED, 0, "", 97))
    ),
    _failed(10017, "the group is muted"),
    replace(_unconfirmed("no_answer", 10_000), late_answer=LATE_ACCEPTED),
]

PROBLEM_INTERVAL = 7

REASON = "名额已满"
NEW_TEXT = (
    "The Saturday walk moves to 9:30 at the south gate because of the rain forecast."
)

NOT_TAKEN_BACK = _failed(10010, "group not exist or has been dismissed")


def fill_history(groups: Sequence[ChatGroup], now: datetime) -> None:
    worker = Worker.objects.create(
        name="demo", boot_id="past", lease=0, heartbeat_at=now, ended_at=now
    )
    history = DemoHistory(worker)
    for days in range(13, 0, -1):
        at = now - timedelta(days=days, minutes=37 * days)
        chosen = groups[days % 5 :: 2]
        sender = COLLEAGUE if days % 4 == 0 else MANAGER
        match days:
            case 9:  # to named members, which live rooms and broadcasts do not support
                chosen = [g for g in groups if not g.all_members_only][::6]
                results = [ACCEPTED] * len(chosen)
                history.add(sender, at, chosen, results, recipients=["amy", "li.lei"])
            case 7 | 3:  # group messages, which broadcasts do not get
                channel = Channel.GROUP_MESSAGE
                chosen = [g for g in chosen if not CHANNELS[channel].refuses(g.type)]
                results = [ACCEPTED] * len(chosen)
                sent = history.add(sender, at, chosen, results, channel=channel)
                history.amend(sent, at + timedelta(minutes=4), is_recall=days == 3)
            case 5:
                done = len(chosen) // 2
                results = [ACCEPTED] * done + [CANCELLED] * (len(chosen) - done)
                history.add(sender, at, chosen, results, status=N.CANCELLED)
            case 1:
                results = [SIGNATURE_REFUSED] + [WAITING] * (len(chosen) - 1)
                history.add(MANAGER, at, chosen, results, status=N.PAUSED)
            case _:
                history.add(sender, at, chosen, history.mixed(len(chosen)))


class DemoHistory:
    """Writes notifications whose calls were all made by ``worker``."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.delivery_count = self.message_count = 0

    def mixed(self, count: int) -> list[DemoResult]:
        """Return mostly accepted results, and the problems in turn."""
        results = []
        for _n in range(count):
            self.delivery_count += 1
            problem, rest = divmod(self.delivery_count, PROBLEM_INTERVAL)
            results.append(ACCEPTED if rest else PROBLEMS[problem % len(PROBLEMS)])
        return results

    def add(
        self,
        sender: str,
        at: datetime,
        groups: Sequence[ChatGroup],
        results: Sequence[DemoResult],
        *,
        status: str = N.COMPLETED,
        recipients: Sequence[str] | None = None,
        channel: str = Channel.SYSTEM_NOTIFICATION,
    ) -> Notification:
        index = Notification.objects.count()
        ended = at + timedelta(seconds=30)
        person = User.objects.get(username=sender)
        notification = Notification.objects.create(
            sender=person,
            sender_name=sender,
            written_by=person,
            written_by_name=sender,
            content=TEXTS[index % len(TEXTS)],
            note=f"CM-{400 + index}",
            recipients=join_recipients(recipients),
            channel=channel,
            audience=Notification.Audience.CHOSEN,
            audience_values=[group.group_id for group in groups],
            audience_count=len(groups),
            status=status,
            sent_at=at,
            finished_at=None if status == N.PAUSED else ended,
            paused_reason="account_code" if status == N.PAUSED else "",
            paused_code=WRONG_KEY if status == N.PAUSED else None,
        )
        self._audit(
            SENT, sender, notification, at, channel=channel, groups=len(groups),
            deliveries=len(groups),
        )  # fmt: skip
        if status == N.CANCELLED:
            self._audit(STOPPED, sender, notification, ended)
        if status == N.PAUSED:
            by = f"worker {self.worker.pk}"
            self._audit(PAUSED, by, notification, ended, reason="account_code")
        for group, result in zip(groups, results, strict=True):
            self._add_delivery(
                notification,
                result,
                group_id=group.group_id,
                group_name=group.name,
                group_type=group.type,
            )
        return notification

    def amend(self, sent: Notification, at: datetime, *, is_recall: bool) -> None:
        """Correct a notification, or take it back, which fails in every sixth group."""
        channel = Channel.RECALL if is_recall else Channel.CORRECTION
        refused_types = CHANNELS[channel].refused_by_type.get("message", frozenset())
        rows = sent.deliveries.exclude(group_type__in=refused_types).order_by("-pk")
        run = Notification.objects.create(
            amends=sent,
            channel=channel,
            content=REASON if is_recall else NEW_TEXT,
            message_options="" if is_recall else sent.message_options,
            sender=sent.sender,
            sender_name=sent.sender_name,
            written_by=sent.sender,
            written_by_name=sent.sender_name,
            audience=Notification.Audience.EVERY,
            audience_count=len(rows),
            status=N.COMPLETED,
            sent_at=at,
            finished_at=at + timedelta(seconds=20),
        )
        left_out = len(sent.deliveries.all()) - len(rows)
        self._audit(
            RECALLED if is_recall else CORRECTED, sent.sender_name, run, at,
            channel=channel, of=sent.pk, groups=len(rows), deliveries=len(rows),
            left_out_count=left_out,
            left_out_reasons={LeftOut.LIVE_ROOM: left_out} if left_out else {},
            **({"reason": REASON} if is_recall else {"note": ""}),
        )  # fmt: skip
        for number, row in enumerate(rows):
            result = NOT_TAKEN_BACK if is_recall and number % 6 == 5 else ACCEPTED
            self._add_delivery(
                run,
                result,
                group_id=row.group_id,
                group_name=row.group_name,
                group_type=row.group_type,
                amended_delivery=row.pk,
                msg_seq=row.msg_seq,
            )

    def _add_delivery(
        self, notification: Notification, result: DemoResult, **values: Any
    ) -> None:
        at = notification.sent_at
        if at is None:
            raise ValueError("A draft has no deliveries.")
        code, reason = result.calls[-1][1:3] if result.calls else (None, "")
        times = list(_times(result, at))
        end = times[-1][1] if times else at
        message = self._message(notification, end) if result.calls else {}
        delivery = Delivery.objects.create(
            notification=notification,
            channel=notification.channel,
            **message,
            **values,
            sender_name=notification.sender_name,
            recipients=notification.recipients,
            status=result.status,
            error_code=code,
            error_info=result.error_info,
            reason=reason if result.status == D.UNCONFIRMED else "",
            attempt_count=len(result.calls),
            not_before=at,
            created_at=at,
            finished_at=None if result.status == D.QUEUED else end,
        )
        self._add_attempts(delivery, result, times)
        if result.late_answer:
            self._audit(
                LATE_ANSWER, f"worker {self.worker.pk}", notification,
                end + timedelta(seconds=20), delivery=delivery.pk, **result.late_answer,
            )  # fmt: skip

    def _message(self, notification: Notification, end: datetime) -> dict[str, int]:
        """What Tencent says about a message that it keeps."""
        if not CHANNELS[notification.channel].draws_random:
            return {}
        self.message_count += 1
        return {
            "random": 1_000_003 * self.message_count % 2**32,
            "msg_seq": 40 + self.message_count % 17,
            "msg_time": int(end.timestamp()),
        }

    def _add_attempts(
        self,
        delivery: Delivery,
        result: DemoResult,
        times: Sequence[tuple[datetime, datetime]],
    ) -> None:
        calls = zip(result.calls, times, strict=True)
        for number, ((outcome, code, reason, _ms), (start, end)) in enumerate(calls, 1):
            Attempt.objects.create(
                delivery=delivery,
                number=number,
                worker=self.worker.pk,
                started_at=start,
                finished_at=end,
                outcome=outcome,
                reason=reason,
                http_status=None if reason else 200,
                action_status="" if reason else ("FAIL" if code else "OK"),
                error_code=code,
                error_info=result.error_info if code else "",
                msg_seq=None if delivery.amended_delivery else delivery.msg_seq,
                msg_time=delivery.msg_time,
            )

    @staticmethod
    def _audit(
        event: audit_log.Event,
        actor: str,
        notification: Notification,
        at: datetime,
        **detail: Any,
    ) -> None:
        audit_log.write(event, actor, notification=notification.pk, at=at, **detail)


def _times(result: DemoResult, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Return the start and end of each call, with exponential backoff between them."""
    for number, (_outcome, _code, _reason, milliseconds) in enumerate(result.calls):
        end = at + timedelta(milliseconds=milliseconds)
        yield at, end
        at = end + FIRST_BACKOFF * 2**number
