"""The worker's memory does not grow with the deliveries that it has sent."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from notifications import conf, permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.delivery.background import sealing_task
from notifications.delivery.worker import SendWorker
from notifications.models import ChatGroup, Delivery, Seal
from notifications.rate_limit.clock import engine_clock
from tests.environment import ROOT
from tests.factories import make_notification, make_user

pytestmark = pytest.mark.django_db(transaction=True)

GROUPS = 500
WARM_UP, MEASURED = 2, 4  # sends


@pytest.fixture
def endpoint(settings) -> Iterator[None]:
    """The sandbox without a rate limit, in another process, whose memory may grow."""
    command = [sys.executable, "-m", "tests.benchmarks.endpoint", str(GROUPS), "0", "0"]
    with subprocess.Popen(  # noqa: S603  our own module
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        settings.IM_BASE_URL = process.stdout.readline().strip()
        settings.IM_CALLS_PER_SECOND = 10_000
        yield
        process.stdin.close()


def test_a_delivery_leaves_nothing_behind(endpoint):
    ChatGroup.objects.bulk_create(
        ChatGroup(group_id=f"@TGS#{n:04d}", name="G", type="Public")
        for n in range(GROUPS)
    )
    user = make_user(permissions.COMMUNITY_MANAGER)
    seals = Seal.objects.filter(kind=Seal.Kind.NOTIFICATION)
    blocks: list[int] = []  # of memory, before each send and at the end

    def is_over() -> bool:
        """Called in each tick: send again when everything was sent and sealed."""
        is_busy = worker.in_flight or worker.unwritten
        if is_busy or seals.count() < len(blocks):
            return False
        gc.collect()
        blocks.append(sys.getallocatedblocks())
        if len(blocks) > WARM_UP + MEASURED:
            return True
        draft = make_notification(sender=user, audience="every")
        services_send.send(user, draft.pk, digest=checked_of(user, draft).digest())
        return False

    worker = SendWorker(
        conf.connection(),
        engine_clock(),
        stop_requested=is_over,
        tasks=[sealing_task(every=0.05)],
    )
    worker.run()

    accepted = Delivery.objects.filter(status="accepted").count()
    assert accepted == GROUPS * (WARM_UP + MEASURED)
    # One number that is kept of each delivery would be a block.
    assert blocks[-1] - blocks[WARM_UP] < GROUPS * MEASURED * 0.75, blocks
