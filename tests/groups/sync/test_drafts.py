"""A sync under a draft: what was checked before it is not sent after it."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from notifications import permissions
from notifications.compose.checked import checked_of
from notifications.compose.services import send as services_send
from notifications.models import ChatGroup, Notification
from tests.factories import make_group, make_notification, make_user

pytestmark = pytest.mark.django_db


def test_a_group_that_becomes_a_live_room_under_named_members(
    tencent, run_sync, log_in
):
    make_group(group_id="g", name="Talk", type="ChatRoom")
    tencent.add_group("g", "AVChatRoom", "Talk")
    user = make_user(permissions.COMMUNITY_MANAGER)
    draft = make_notification(
        sender=user, audience="chosen", audience_values=["g"], recipients="anna"
    )
    digest = checked_of(user, draft).digest()

    run_sync()

    assert ChatGroup.objects.get().type == "AVChatRoom"
    page = log_in(user).get(reverse("admin:check", args=[draft.pk])).content.decode()
    assert "can only be sent to everyone" in page
    for seen in (digest, checked_of(user, draft).digest()):
        with pytest.raises(ValidationError, match="sent to everyone"):
            services_send.send(user, draft.pk, digest=seen)
    draft.refresh_from_db()
    assert draft.status == Notification.Status.DRAFT
