"""Language and time."""

from .environment import BASE_DIR, env

LANGUAGE_CODE = env.text("LANGUAGE_CODE", default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
TIME_ZONE = env.text("TIME_ZONE", default="UTC")
USE_TZ = True
# The templates stand outside the app; their texts are in its catalogue too.
LOCALE_PATHS = [BASE_DIR / "notifications" / "locale"]
