"""The baseline: only ``requests`` in threads against the same endpoint.

usage: python -m tests.benchmarks.bare URL CALLS THREADS [CALLS_PER_SECOND]

Prints calls per second and CPU seconds per 1000 calls. With a pace, each thread sleeps
until its next call is due. A call that is not accepted ends it with an error.
"""

import math
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import requests

from notifications.tencent.user_sig import make_user_sig

PATH = "/v4/group_open_http_svc/send_group_system_notification"
BODY = b'{"GroupId":"@TGS#0000","Content":"' + b"x" * 200 + b'"}'


def main() -> None:
    url, calls, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pace = float(sys.argv[4]) if len(sys.argv) > 4 else math.inf

    url += f"{PATH}?{urlencode(parameters())}"

    def work(place: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for n in range(calls // threads):
                due = began + (n * threads + place) / pace
                time.sleep(max(0.0, due - time.perf_counter()))
                answer = session.post(url, data=BODY, timeout=30)
                answer.raise_for_status()
                if code := answer.json()["ErrorCode"]:
                    raise RuntimeError(f"ErrorCode {code}")

    cpu, began = time.process_time(), time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))  # raises what a thread raised
    made = calls // threads * threads
    seconds = time.perf_counter() - began
    cpu = time.process_time() - cpu
    sys.stdout.write(f"{made / seconds} {cpu / made * 1000}\n")


def parameters() -> dict[str, str]:
    """The arguments of each call for the account in the environment."""
    account, name = os.environ["IM_SDK_APP_ID"], os.environ["IM_ADMIN_ACCOUNT"]
    key, now = os.environ["IM_SECRET_KEY"], int(time.time())
    return {
        "sdkappid": account,
        "identifier": name,
        "usersig": make_user_sig(int(account), key, name, now=now, valid_for=86400),
        "random": "1",
        "contenttype": "json",
    }


if __name__ == "__main__":
    main()
