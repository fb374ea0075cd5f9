"""The stand-in for benchmarks, in a process of its own.

Without a journal on the disk: it shall cost as little as it can. It has no limit,
unless one is asked for. It prints its address; a line on its standard input is answered
by one line of JSON: an empty one with the moments of all notices since the last such
line, any other with moments and codes of the calls of that name. The end of the input
stops it.

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
