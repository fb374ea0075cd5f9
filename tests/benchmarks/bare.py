"""The yardstick: bare ``requests`` in threads against the same endpoint, nothing else.

usage: python -m tests.benchmarks.bare URL CALLS THREADS [CALLS_PER_SECOND]

Prints calls per second and CPU seconds per 1000 calls. With a pace, each thread sleeps
until its next call is due.
"""

import math
import sys
import threading
import time

import requests

PATH = "/v4/group_open_http_svc/send_group_system_notification"
BODY = b'{"GroupId":"@TGS#0000","Content":"' + b"x" * 200 + b'"}'


def main() -> None:
    url, calls, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    pace = float(sys.argv[4]) if len(sys.argv) > 4 else math.inf

    def work(place: int) -> None:
        with requests.Session() as session:
            session.trust_env = False
            for n in range(calls // threads):
                due = began + (n * threads + place) / pace
                time.sleep(max(0.0, due - time.perf_counter()))
                session.post(url + PATH, data=BODY, timeout=30).json()

    running = [threading.Thread(target=work, args=[n]) for n in range(threads)]
    cpu, began = time.process_time(), time.perf_counter()
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    made = calls // threads * threads
    seconds = time.perf_counter() - began
    cpu = time.process_time() - cpu
    sys.stdout.write(f"{made / seconds} {cpu / made * 1000}\n")


if __name__ == "__main__":
    main()
