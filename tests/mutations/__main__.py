"""Take each protection away and run its tests: ``make mutations``.

``python -m tests.mutations --help`` lists the options. Each mutation is made in a copy
of the tree. Each of its tests must fail there: by an assertion, not while it is
collected. A test that passes proves nothing; exit code 1.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path

from tests.mutations.catalogue import MUTATIONS, ROOT, Mutation

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "var", ".coverage", ".*_cache", ".hypothesis"
)
SECONDS = 600  # a protection that is gone may leave a test waiting
FAILED = "the test fails"


def main() -> int:
    options = _options()
    chosen = [m for m in MUTATIONS if not options.rows or options.rows & set(m.numbers)]
    cases = [(mutation, test) for mutation in chosen for test in mutation.tests]
    with tempfile.TemporaryDirectory(prefix="notifier-mutations-") as home:
        trees = _copies(Path(home), options.processes)

        def verdict(case: tuple[Mutation, str]) -> str:
            mutation, test = case
            tree = trees.get()
            start = time.monotonic()
            try:
                result = run(mutation, test, tree)
            finally:
                trees.put(tree)
            seconds = time.monotonic() - start
            rows = " ".join(mutation.numbers)
            sys.stderr.write(
                f"{rows} {mutation.file}, {test}: {result} ({seconds:.0f} s)\n"
            )
            return result

        with ThreadPoolExecutor(options.processes) as threads:
            results = list(threads.map(verdict, cases))
    failures = sum(result != FAILED for result in results)
    sys.stdout.write(f"{len(results)} tests, {failures} of them prove nothing.\n")
    return 1 if failures else 0


def run(mutation: Mutation, test: str, tree: Path) -> str:
    """What the test does in a tree without the protection."""
    with _mutated(tree / mutation.file, mutation):
        command = [sys.executable, "-m", "pytest", "-x", "-rfE", "-p", "no:randomly"]
        if mutation.database == "postgresql":
            command.insert(0, ".ci/postgres")
        environment = {k: v for k, v in os.environ.items() if k != "DATABASE_URL"}
        try:
            ended = subprocess.run(  # noqa: S603
                [*command, test],
                cwd=tree,
                env=environment,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"no end after {SECONDS} s"
    if ended.returncode == 0:
        return "THE TEST PASSES"
    output = ended.stdout
    has_failed = f"\nFAILED {test}" in output or "ERROR at teardown of" in output
    if ended.returncode == 1 and has_failed:
        return FAILED
    return f"IT DOES NOT RUN:\n{output[-3000:]}{ended.stderr[-3000:]}"


@contextmanager
def _mutated(file: Path, mutation: Mutation) -> Iterator[None]:
    original = file.read_text()
    if original.count(mutation.old) != 1:
        raise ValueError(f"{mutation.file} has not this text once:\n{mutation.old}")
    # Python compares modules with their bytecode by size and second.
    bytecode = Path(cache_from_source(str(file)))
    try:
        file.write_text(original.replace(mutation.old, mutation.new))
        bytecode.unlink(missing_ok=True)
        yield
    finally:
        file.write_text(original)
        bytecode.unlink(missing_ok=True)


def _copies(home: Path, count: int) -> queue.Queue[Path]:
    trees: queue.Queue[Path] = queue.Queue()
    for number in range(count):
        tree = home / str(number)
        shutil.copytree(ROOT, tree, ignore=NOT_COPIED, symlinks=True)
        trees.put(tree)
    return trees


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutations", description=__doc__
    )
    parser.add_argument("rows", nargs="*", help="only these rows of docs/asvs.md")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    options.rows = set(options.rows)
    return options


if __name__ == "__main__":
    sys.exit(main())
