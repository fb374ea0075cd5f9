"""Tencent IM; notifications/conf.py reads these, ``manage.py check`` validates them."""

from .environment import env

IM_SDK_APP_ID = env.text("IM_SDK_APP_ID", default="")
IM_ADMIN_ACCOUNT = env.text("IM_ADMIN_ACCOUNT", default="administrator")
IM_SECRET_KEY = env.secret("IM_SECRET_KEY")
# The next key, which is used when Tencent no longer accepts the first.
IM_SECRET_KEY_NEXT = env.secret("IM_SECRET_KEY_NEXT")
IM_REGION = env.text("IM_REGION", default="china")
IM_BASE_URL = env.text("IM_BASE_URL", default="")
IM_PROXY_URL = env.secret("IM_PROXY_URL")
IM_CA_FILE = env.text("IM_CA_FILE", default="")
IM_CALLS_PER_SECOND = env.number("IM_CALLS_PER_SECOND", default=200)
IM_RECIPIENTS_PER_CALL = env.integer("IM_RECIPIENTS_PER_CALL", default=50)
IM_CONTENT_MAX_BYTES = env.integer("IM_CONTENT_MAX_BYTES", default=8000)
# Calls per day of trial and developer editions; 0 = unlimited.
IM_DAILY_QUOTA = env.integer("IM_DAILY_QUOTA", default=0)
# Hours between automatic syncs of the groups; 0 = no automatic sync.
IM_SYNC_EVERY_HOURS = env.integer("IM_SYNC_EVERY_HOURS", default=24)
IM_CONNECT_TIMEOUT = env.number("IM_CONNECT_TIMEOUT", default=3.05)
IM_READ_TIMEOUT = env.number("IM_READ_TIMEOUT", default=10)
IM_RETRY_INTERNAL_ERROR = env.boolean("IM_RETRY_INTERNAL_ERROR", default=True)
# The channel that a new notification has: system_notification or group_message.
IM_DEFAULT_CHANNEL = env.choice(
    "IM_DEFAULT_CHANNEL",
    default="system_notification",
    of=["system_notification", "group_message"],
)
# Tencent is queried about an unconfirmed group message so long after its last attempt,
# and again so long after it was not found; after so many hours, no more.
IM_QUERY_AFTER_SECONDS = env.number("IM_QUERY_AFTER_SECONDS", default=30)
IM_QUERY_AGAIN_AFTER_SECONDS = env.number("IM_QUERY_AGAIN_AFTER_SECONDS", default=60)
IM_QUERY_GIVE_UP_HOURS = env.number("IM_QUERY_GIVE_UP_HOURS", default=24)
# Days for which Tencent keeps the messages of a group: 7, 30 or 90, by edition.
IM_HISTORY_DAYS = env.integer("IM_HISTORY_DAYS", default=7)
# Live rooms have no history: repeat an unconfirmed call with the same number.
IM_REPEAT_LIVE_ROOMS = env.boolean("IM_REPEAT_LIVE_ROOMS", default=False)
