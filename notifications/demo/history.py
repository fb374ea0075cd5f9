"""Two weeks of notifications for the demo, with every way in which one can end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from notifications import audit_log
from notifications.compose.audit_events import SENT
from notifications.delivery.audit_events import LATE_ANSWER, PAUSED, STOPPED
from notifications.models import Attempt, ChatGroup, Delivery, Notification, Worker
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

FIRST_PAUSE = timedelta(seconds=1)


@dataclass(frozen=True)
class Outcome:
    """How one delivery ended: ``calls`` are (outcome, ErrorCode or None, reason, ms)."""

    status: str = D.ACCEPTED
    calls: Sequence[tuple[str, int | None, str, int]] = ((A.ACCEPTED, 0, "", 84),)
    info: str = ""
    late: dict[str, object] = field(default_factory=dict)


def _failed(code: int, info: str) -> Outcome:
    return Outcome(D.FAILED, ((A.REJECTED, code, "", 84),), info)


def _doubtful(reason: str, took: int) -> Outcome:
    return Outcome(D.UNCONFIRMED, ((A.UNCONFIRMED, None, reason, took),))


FINE = Outcome()

CANCELLED = Outcome(D.CANCELLED, ())

WAITING = Outcome(D.QUEUED, ())

KEY_REFUSED = Outcome(
    D.QUEUED, ((A.REJECTED, WRONG_KEY, "", 84),), "usersig check failed"
)

ACCEPTED_LATE = {"outcome": "accepted", "error_code": 0, "error_info": "", "reason": ""}

# One after another over the past; between them, most groups are fine.
TROUBLE = [
    _failed(10010, "group not exist or has been dismissed"),
    _doubtful("no_answer", 10_000),
    _failed(10015, "invalid group id"),
    Outcome(calls=((A.REJECTED, BUSY, "", 71), (A.ACCEPTED, 0, "", 90))),
    _failed(10007, "no permission to operate the group"),
    _doubtful("connection_lost", 212),
    Outcome(
        D.FAILED,
        tuple((A.REJECTED, 10002, "", 1200 + 40 * n) for n in range(4)),
        "server internal error, please try again",
    ),
    Outcome(D.UNCONFIRMED, ((A.WORKER_LOST, None, "worker_lost", 9_400),)),
    Outcome(
        calls=((A.NOT_SENT, None, "connect_timeout", 3050), (A.ACCEPTED, 0, "", 97))
    ),
    _failed(10017, "the group is muted"),
    replace(_doubtful("no_answer", 10_000), late=ACCEPTED_LATE),
]

EVERY = 7  # so many groups from one trouble to the next


def fill_history(groups: Sequence[ChatGroup], now: datetime) -> None:
    worker = Worker.objects.create(
        name="demo", boot_id="past", lease=0, heartbeat_at=now, ended_at=now
    )
    past = DemoHistory(worker)
    for days in range(13, 0, -1):
        at = now - timedelta(days=days, minutes=37 * days)
        part = groups[days % 5 :: 2]
        sender = COLLEAGUE if days % 4 == 0 else MANAGER
        match days:
            case 9:  # to named members, which live rooms and broadcasts do not take
                small = [group for group in groups if not group.all_members_only][::6]
                past.add(sender, at, small, [FINE] * len(small), to=["amy", "li.lei"])
            case 5:
                done = len(part) // 2
                fates = [FINE] * done + [CANCELLED] * (len(part) - done)
                past.add(sender, at, part, fates, status=N.CANCELLED)
            case 1:
                fates = [KEY_REFUSED] + [WAITING] * (len(part) - 1)
                past.add(MANAGER, at, part, fates, status=N.PAUSED)
            case _:
                past.add(sender, at, part, past.mixed(len(part)))


class DemoHistory:
    """``worker`` is the one that made all the calls."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.count = 0

    def mixed(self, count: int) -> list[Outcome]:
        """Mostly fine; the troubles take turns over all notifications."""
        fates = []
        for _n in range(count):
            self.count += 1
            turn, rest = divmod(self.count, EVERY)
            fates.append(FINE if rest else TROUBLE[turn % len(TROUBLE)])
        return fates

    def add(
        self,
        sender: str,
        at: datetime,
        groups: Sequence[ChatGroup],
        fates: Sequence[Outcome],
        *,
        status: str = N.COMPLETED,
        to: Sequence[str] | None = None,
    ) -> None:
        number = Notification.objects.count()
        ended = at + timedelta(seconds=30)
        notification = Notification.objects.create(
            sender=User.objects.get(username=sender),
            sender_name=sender,
            content=TEXTS[number % len(TEXTS)],
            note=f"CM-{400 + number}",
            recipients=join_recipients(to),
            audience=Notification.Audience.CHOSEN,
            audience_values=[group.group_id for group in groups],
            audience_count=len(groups),
            status=status,
            sent_at=at,
            finished_at=None if status == N.PAUSED else ended,
            paused_reason="account_code" if status == N.PAUSED else "",
            paused_code=WRONG_KEY if status == N.PAUSED else None,
        )
        self._note(SENT, sender, notification, at, groups=len(groups))
        if status == N.CANCELLED:
            self._note(STOPPED, sender, notification, ended)
        if status == N.PAUSED:
            by = f"worker {self.worker.pk}"
            self._note(PAUSED, by, notification, ended, reason="account_code")
        for group, fate in zip(groups, fates, strict=True):
            self._delivery(notification, group, fate)

    def _delivery(
        self, notification: Notification, group: ChatGroup, fate: Outcome
    ) -> None:
        at = notification.sent_at
        if at is None:
            raise ValueError("A draft has no deliveries in the past.")
        code, reason = fate.calls[-1][1:3] if fate.calls else (None, "")
        times = list(_times(fate, at))
        end = times[-1][1] if times else at
        delivery = Delivery.objects.create(
            notification=notification,
            group_id=group.group_id,
            group_name=group.name,
            group_type=group.type,
            sender_name=notification.sender_name,
            recipients=notification.recipients,
            status=fate.status,
            error_code=code,
            error_info=fate.info,
            reason=reason if fate.status == D.UNCONFIRMED else "",
            attempt_count=len(fate.calls),
            not_before=at,
            created_at=at,
            finished_at=None if fate.status == D.QUEUED else end,
        )
        self._attempts(delivery, fate, times)
        if fate.late:
            self._note(
                LATE_ANSWER, f"worker {self.worker.pk}", notification,
                end + timedelta(seconds=20), delivery=delivery.pk, **fate.late,
            )  # fmt: skip

    def _attempts(
        self,
        delivery: Delivery,
        fate: Outcome,
        times: Sequence[tuple[datetime, datetime]],
    ) -> None:
        calls = zip(fate.calls, times, strict=True)
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
                error_info=fate.info if code else "",
            )

    @staticmethod
    def _note(
        event: audit_log.Event,
        actor: str,
        about: Notification,
        at: datetime,
        **detail: Any,
    ) -> None:
        audit_log.write(event, actor, notification=about.pk, at=at, **detail)


def _times(fate: Outcome, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Start and end of each call, with a longer and longer pause between."""
    for number, (_outcome, _code, _reason, took) in enumerate(fate.calls):
        end = at + timedelta(milliseconds=took)
        yield at, end
        at = end + FIRST_PAUSE * 2**number
