"""The sandbox for benchmarks, in a separate process.

It writes no journal to the disk, to cost as little as possible, and has no rate limit
by default. It prints its address. It answers each line of standard input with a line of
JSON: an empty line with the times of all notices since the last empty line, another line
with times and codes of the calls of that name. It stops at the end of the input.

usage: python -m tests.benchmarks.endpoint GROUPS LATENCY_MS JITTER_MS [CALLS_PER_SECOND]
"""

import json
import sys

from notifications.sandbox.groups import SandboxGroup
from notifications.sandbox.server import SandboxConfig, SandboxServer

NO_LIMIT = 10**9


def main() -> None:
    count, latency, jitter, *limit = (int(argument) for argument in sys.argv[1:])
    groups = [SandboxGroup(f"@TGS#{n:04d}", "Public") for n in range(count)]
    config = SandboxConfig(
        groups=groups,
        calls_per_second=limit[0] if limit else NO_LIMIT,
        latency_ms=latency,
        jitter_ms=jitter,
    )
    with SandboxServer(config) as server:
        _say(server.url)
        seen = 0
        for line in sys.stdin:
            if command := line.strip():
                calls = server.calls
                both = zip(calls.clocks(command), calls.codes(command), strict=True)
                _say(json.dumps(list(both)))
                continue
            entries = list(server.journal)
            # Unix seconds to compare with other processes, steady ones to count with.
            _say(json.dumps([(e.received_at, e.clock) for e in entries[seen:]]))
            seen = len(entries)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
