"""Fixtures: ``provider``, the configured OpenID provider; ``visit``, a login there."""

from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings, settings
from django.test import Client

from tests.access.sso.provider import Provider


@pytest.fixture(scope="session")
def provider_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider(settings: LazySettings, provider_key) -> Iterator[Provider]:
    with Provider(provider_key) as running:
        settings.SOCIALACCOUNT_PROVIDERS = configured(running)
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS,
            "notifications.access.backends.SsoBackend",
        ]
        yield running


def configured(*providers: Provider) -> dict:
    """The setting ``SOCIALACCOUNT_PROVIDERS`` with these providers."""
    first = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]
    apps = [Provider.app_of(each.url, each.name) for each in providers]
    return {"openid_connect": first | {"APPS": apps}}


@pytest.fixture
def visit(provider: Provider, client: Client) -> Callable:
    """Log in from the link on the login page to the response of the callback."""

    def there_and_back(target: str = "/", at: Provider = provider):
        begun = client.get(f"/sso/{at.name}/", {"next": target})
        return client.get(at.consent(begun["Location"]))

    return there_and_back
