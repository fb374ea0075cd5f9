"""Free disk space, collected static files, the size of the database, and versions."""

import platform
import shutil
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import (
    ManifestStaticFilesStorage,
    staticfiles_storage,
)
from django.db import connection

from notifications import __version__

MEGABYTE = 1_000_000


def free_bytes() -> dict[str, int]:
    """Free bytes by written disk: ``state``, and with SQLite also ``database``."""
    folders = {"state": Path(settings.STATE_DIR)}
    if connection.vendor == "sqlite":
        folders["database"] = Path(connection.settings_dict["NAME"]).parent
    return {name: shutil.disk_usage(path).free for name, path in folders.items()}


def enough_disk() -> bool:
    """Whether each disk has at least ``DISK_FLOOR_MB`` free."""
    floor = settings.DISK_FLOOR_MB * MEGABYTE
    return all(free >= floor for free in free_bytes().values())


def are_static_files_collected() -> bool:
    """Whether ``STATIC_ROOT`` holds the files of this version, as pages need them."""
    if settings.DEBUG or not isinstance(
        staticfiles_storage, ManifestStaticFilesStorage
    ):
        return True
    try:
        manifest: Any = staticfiles_storage.load_manifest()
    except (OSError, ValueError):
        return False
    collected = manifest[0]  # names of files with their digest, by name
    return all(
        Path(path).as_posix() in collected
        for finder in get_finders()
        for path, _storage in finder.list(ignore_patterns=[])
    ) and all(staticfiles_storage.exists(path) for path in collected.values())


def database_bytes() -> int:
    """The size of the database, as both databases report it without a scan."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                "SELECT page_count * page_size "
                "FROM pragma_page_count(), pragma_page_size()"
            )
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    return int(size)


def versions() -> dict[str, str]:
    """Versions of the console, Django, Python and the database."""
    number = ".".join(map(str, connection.get_database_version()))
    return {
        "version": __version__,
        "django": django.get_version(),
        "python": platform.python_version(),
        "database": f"{connection.display_name} {number}",
    }
