"""Assert that a login was refused: a page with the reason and one audit entry."""

from html import unescape

from django.test import Client

from notifications.access.services.sso_refusals import SsoRefusalReason
from notifications.models import AuditEntry


def entries() -> list[tuple[str, str, dict]]:
    rows = AuditEntry.objects.order_by("id")
    return list(rows.values_list("action", "actor", "detail"))


def is_inside(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refused_and_recorded(response, why: str, client: Client, actor="(unknown name)"):
    assert response.status_code == 403
    assert str(SsoRefusalReason(why).label) in unescape(response.content.decode())
    assert not is_inside(client)
    detail = {"by": "sso", "why": why}
    assert entries() == [("login_refused", actor, detail)]
