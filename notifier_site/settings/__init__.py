"""Settings, all from environment variables or a ``.env`` file beside ``manage.py``.

README.md has the table. A secret ``NAME`` may instead be set by ``NAME_FILE``, the path
of a file that contains it, as Docker and systemd pass secrets. ``manage.py check``
reports invalid values; see ``variables.py``.
"""

from .environment import *  # noqa: I001  in reading order
from .web import *
from .access import *
from .sso import *
from .mail import *
from .https import *
from .database import *
from .im import *
from .logs import *

from .environment import env

# Invalid variables; notifications/system/checks.py reports them.
SETTINGS_PROBLEMS = env.problems
