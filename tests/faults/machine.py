"""The machine of a scene: its disk and its wall clock, through machine.c."""

import os
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("machine.c")


def build(folder: Path) -> Path:
    """The library to preload. Raises ``CalledProcessError`` with gcc's words."""
    library = folder / "machine.so"
    subprocess.run(  # noqa: S603  our own source
        ["gcc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl"],  # noqa: S607  the one on the PATH
        check=True,
    )
    return library


class Clock:
    """The wall clock of the processes with ``variables``; it can be wrong."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library = library
        self._file = file
        self.set(0)

    @property
    def variables(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self._library), "MACHINE_CLOCK": str(self._file)}

    def set(self, seconds: int) -> None:
        """Set the error of the clock in seconds."""
        # In place: processes have the file mapped.
        handle = os.open(self._file, os.O_RDWR | os.O_CREAT)
        os.pwrite(handle, struct.pack("=q", seconds), 0)
        os.close(handle)


class Machine:
    """``disk`` is the folder that the power cut is about; ``folder`` holds the rest."""

    def __init__(self, library: Path, folder: Path, disk: Path) -> None:
        self.disk = disk
        self.safe = folder / "safe"
        self.clock = Clock(library, folder / "clock")
        self.safe.mkdir()

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables of a process on this machine."""
        return {
            **self.clock.variables,
            "MACHINE_DISK": str(self.disk),
            "MACHINE_SAFE": str(self.safe),
        }

    def sync(self) -> None:
        """Mark all files as synced, for files that the harness wrote."""
        for path in self.disk.iterdir():
            if path.is_file():
                shutil.copy(path, self.safe / path.name)

    def come_back(self) -> None:
        """Leave only synced data, as after a power cut; no process may run."""
        shutil.rmtree(self.disk)
        self.disk.mkdir()
        for path in self.safe.iterdir():
            if not path.name.startswith("."):
                shutil.copy(path, self.disk / path.name)

    def fill_disk(self, names: str = "") -> None:
        """Fill the disk for files whose names begin with ``names``."""
        (self.safe / ".full").write_text(names)

    def free_disk(self) -> None:
        (self.safe / ".full").unlink()
