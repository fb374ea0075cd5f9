"""HTTPS, cookies, and what stands in the heads of answers."""

from .environment import env

USE_HTTPS = env.switch("USE_HTTPS", default=True)
SECURE_SSL_REDIRECT = USE_HTTPS
# Asked from inside, past the proxy that ends TLS: console/middleware.py.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if USE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = USE_HTTPS
SECURE_HSTS_PRELOAD = USE_HTTPS
# A browser takes a cookie of such a name only from this very host, over HTTPS and for
# every path: no other host of the domain can plant one.
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
# Lax for all. With Strict, whoever comes by a link in a chat brings none of them: he would
# have to log in again, and the forms in his other tabs would be refused as too old.
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.switch("BEHIND_TLS_PROXY", default=False):
    # Only where every request passes a proxy that sets this header itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# So many proxies append to X-Forwarded-For; their word about an address is recorded.
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", default=0)
