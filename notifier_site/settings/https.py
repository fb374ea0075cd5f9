"""HTTPS, cookies, and what stands in the heads of answers."""

from .environment import env

USE_HTTPS = env.switch("USE_HTTPS", default=True)
SECURE_SSL_REDIRECT = USE_HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if USE_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = USE_HTTPS
SECURE_HSTS_PRELOAD = USE_HTTPS
SESSION_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_SECURE = USE_HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "notifications.views.refused.stale"
LANGUAGE_COOKIE_SECURE = USE_HTTPS
LANGUAGE_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if env.switch("BEHIND_TLS_PROXY", default=False):
    # Only where every request passes a proxy that sets this header itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# So many proxies append to X-Forwarded-For; their word about an address is recorded.
TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", default=0)
