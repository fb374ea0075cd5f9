"""For a monitoring that looks after the console."""

from .environment import env

# Whoever asks for /metrics gives it as a Bearer token; without one there is no page.
METRICS_TOKEN = env.text("METRICS_TOKEN", default="")
# Megabytes that must be free on the disks that we write to.
DISK_FLOOR_MB = env.whole("DISK_FLOOR_MB", default=500)
