"""Counts of requests by client, shared by all processes of a machine.

In a file of ``STATE_DIR`` instead of the database: counting costs microseconds, works
while the database does not, and stores nothing of an attacker. The file has a fixed
number of entries, 1.3 MB in all. Each machine counts separately.
"""

import fcntl
import os
import struct
import time
from pathlib import Path

from django.conf import settings
from django.utils.crypto import salted_hmac

FILE = "request_counts"

ENTRIES = 65_536
# The digest of the counted requests, the number of the period, the count.
ENTRY = struct.Struct("<8sQI")
MAX_COUNT = 2**32 - 1


def count_request(counted: str, seconds: int) -> tuple[int, int]:
    """Count a request; return the count of this period, and the seconds until its end.

    Periods have a fixed length of ``seconds``. Two values of ``counted`` rarely have the
    same entry: the later one replaces the other. The digest has a key, so that a client
    cannot choose an address with the entry of another client. Raises ``OSError``.
    """
    digest = salted_hmac(__name__, f"{seconds} {counted}", algorithm="sha256").digest()
    place = int.from_bytes(digest[:2], "big") * ENTRY.size
    now = time.time()
    period = int(now // seconds)
    count = 1
    # Opened each time: the lock belongs to the opened file, and threads share that.
    handle = os.open(
        Path(settings.STATE_DIR) / FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        entry = os.pread(handle, ENTRY.size, place)
        if len(entry) == ENTRY.size:
            stored, stored_period, stored_count = ENTRY.unpack(entry)
            if (stored, stored_period) == (digest[2:10], period):
                count = min(stored_count + 1, MAX_COUNT)
        os.pwrite(handle, ENTRY.pack(digest[2:10], period, count), place)
    finally:
        os.close(handle)
    return count, int((period + 1) * seconds - now) + 1
