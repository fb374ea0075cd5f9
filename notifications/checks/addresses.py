"""Which addresses a secret may be sent to."""

from urllib.parse import urlsplit

from notifications import conf


def is_safe(url: str) -> bool:
    """HTTPS, or a server on this machine."""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and conf.is_loopback(url)
    )
    return bool(parts.hostname) and is_safe
