"""Fixtures: ``provider``, the configured OpenID provider; ``visit``, a login there."""

from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import LazySettings
from django.test import Client

from tests.access.sso.provider import Provider


@pytest.fixture(scope="session")
def provider_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def provider(settings: LazySettings, provider_key) -> Iterator[Provider]:
    with Provider(provider_key) as running:
        for name, value in running.settings().items():
            setattr(settings, name, value)
        settings.AUTHENTICATION_BACKENDS = [
            *settings.AUTHENTICATION_BACKENDS,
            "notifications.access.backends.SsoBackend",
        ]
        yield running


@pytest.fixture
def visit(provider: Provider, client: Client) -> Callable:
    """Log in from the link on the login page to the response of the callback."""

    def there_and_back(target: str = "/"):
        begun = client.get("/sso/", {"next": target})
        return client.get(provider.consent(begun["Location"]))

    return there_and_back
