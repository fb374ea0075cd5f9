"""HTTPS, cookies and security headers."""

from .environment import env

USE_HTTPS = env.boolean("USE_HTTPS", default=True)
SECURE_SSL_REDIRECT = USE_HTTPS
# Requested internally, without the TLS proxy: console/middleware.py.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if USE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = USE_HTTPS
SECURE_HSTS_PRELOAD = USE_HTTPS
# Browsers accept cookies with this prefix only from this host, over HTTPS and for all
# paths, so that other hosts of the domain cannot set them.
_PREFIX = "__Host-" if USE_HTTPS else ""
SESSION_COOKIE_NAME = f"{_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_PREFIX}csrftoken"
LANGUAGE_COOKIE_NAME = f"{_PREFIX}language"
SESSION_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "notifications.console.views.csrf_failure"
LANGUAGE_COOKIE_SECURE = USE_HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
# With Strict, a request by a link in a chat would contain none of the cookies: the person
# would have to log in again, and forms in other tabs would be refused as too old.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.boolean("BEHIND_TLS_PROXY", default=False):
    # Only where all requests pass a proxy that sets this header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# Number of proxies that append to X-Forwarded-For; their addresses are recorded.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", default=0)
