"""A page that fails: the response, and the mail to the administrators."""

import logging

import pytest
from django.core import mail
from django.test import Client
from django.utils.log import AdminEmailHandler

from notifications import conf, permissions
from notifications.console import site
from notifications.tencent import client as tencent_client
from notifications.tencent import user_sig
from tests.access.sso.provider import Provider
from tests.factories import PASSWORD, make_user, write_fields

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database]


@pytest.fixture
def mails(settings):
    """The mail that Django's AdminEmailHandler sends for an error, with all details."""
    settings.ADMINS = [("Li", "li@example.com")]
    handler = AdminEmailHandler(include_html=True)
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    yield mail.outbox
    logger.removeHandler(handler)


@pytest.mark.parametrize("debug", [True, False])
def test_a_page_that_fails(canary, settings, monkeypatch, mails, debug):
    settings.DEBUG = debug
    settings.IM_PROXY_URL = f"http://anna:{canary.keys[1]}@127.0.0.1:9"
    monkeypatch.setenv("DATABASE_URL", f"postgres://anna:{canary.keys[1]}@db/x")

    def fail(*_args, **_kwargs):
        im = conf.connection()
        im.user_sigs.get()
        raise RuntimeError(f"This page fails with {im} and {im.client()}.")

    monkeypatch.setattr(site.overview_presentation, "overview_context", fail)
    client = Client(raise_request_exception=False)
    client.force_login(make_user(superuser=True, username="admin"))

    # As with runserver: the request contains the environment, too.
    response = client.get(
        "/",
        IM_SECRET_KEY=canary.keys[0],
        DATABASE_URL=f"postgres://anna:{canary.keys[1]}@db/x",
        IM_PROXY_URL=settings.IM_PROXY_URL,
    )

    assert response.status_code == 500
    assert (b"This page fails" in response.content) == debug
    assert (b"IM_SECRET_KEY" in response.content) == debug
    canary.keep("page", f"{response.headers}\n{response.content.decode()}")
    sent = mails[0]  # without DEBUG, Django sends another one by itself
    assert "IM_PROXY_URL" in sent.body
    canary.keep("mail", f"{sent.subject}\n{sent.body}\n{sent.alternatives}")


@pytest.mark.parametrize(
    ("module", "name"),
    # With the signature and the URL in the frames, and with the key in them.
    [(tencent_client, "parse_response"), (user_sig, "hashlib")],
)
def test_what_is_mailed_of_a_fault_in_the_client(
    canary, settings, monkeypatch, mails, module, name
):
    settings.IM_SECRET_KEY_NEXT = settings.METRICS_TOKEN = canary.keys[1]
    app = Provider.app_of("https://id.example.com") | {"secret": canary.keys[1]}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    settings.SECRET_KEY_FALLBACKS = [canary.keys[1]]
    monkeypatch.setattr(module, name, None)  # nothing that can be called
    client = Client(raise_request_exception=False)
    client.force_login(make_user(permissions.COMMUNITY_MANAGER))
    fields = write_fields(
        groups="ok", members="named", recipients="anna", check_members="1"
    )

    response = client.post(
        "/write/", fields | {"password": PASSWORD, "note": canary.keys[1]}
    )

    assert response.status_code == 500
    sent = mails[0]  # without DEBUG, Django sends another one by itself
    ((html, _kind),) = sent.alternatives
    for text in (sent.body, html):
        assert "TypeError" in text or "AttributeError" in text
        assert "IM_SECRET_KEY_NEXT" in text
        assert PASSWORD not in text
    assert "user_sig" in html  # the names of variables are there
    assert client.cookies[settings.SESSION_COOKIE_NAME].value not in sent.body + html
    canary.keep("mail", f"{sent.subject}\n{sent.body}\n{html}")
