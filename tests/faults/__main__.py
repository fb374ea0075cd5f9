"""The long fault run: ``make faults``, or ``python -m tests.faults --help``."""

import argparse
import random
import signal
import sys
import time

from tests.faults.faults import BOTH, FAULTS
from tests.faults.runs import Tally, stage, table


def main() -> int:
    """Exit code 1 when the promise was broken, or when a control was not seen to fail."""
    options = _options()
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    seed = options.seed or random.SystemRandom().randrange(1, 2**32)
    say(f"Seed {seed}.")
    began = time.monotonic()
    tallies: list[Tally] = []
    for vendor in options.database or BOTH:
        with stage(vendor) as here:
            for name in options.only or FAULTS:
                fault = FAULTS[name]
                if vendor not in fault.places:
                    continue
                runs = options.runs or (fault.long if options.long else fault.short)
                tally = here.play(
                    fault,
                    runs,
                    seed=seed,
                    is_long=options.long,
                    groups=options.groups,
                    report=progress,
                )
                tallies.append(tally)
                say(f"{' | '.join(tally.cells())}")
                for line in (*tally.notes, *tally.secrets):
                    say(f"    {line}")
                if not fault.is_control:
                    for problem in tally.problems:
                        say(f"    {problem}")
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(f"\n{table(tallies)}\n\nSeed {seed}, {minutes:.0f} minutes.\n")
    return 0 if all(tally.is_kept for tally in tallies) else 1


def progress(tally: Tally) -> None:
    if tally.runs % 25 == 0:
        say(f"    until now: {' | '.join(tally.cells())}")


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--long", action="store_true", help="the runs of the long form")
    parser.add_argument("--only", nargs="+", choices=FAULTS, metavar="NAME")
    parser.add_argument("--runs", type=int, help="of each fault")
    parser.add_argument("--groups", type=int, default=0, help="of each notification")
    parser.add_argument("--database", nargs="+", choices=BOTH)
    parser.add_argument("--seed", type=int)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
