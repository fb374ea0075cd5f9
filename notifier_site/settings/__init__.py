"""Settings, all from environment variables or a ``.env`` file beside ``manage.py``.

README.md has the table. A secret ``NAME`` may instead be given as ``NAME_FILE``, the
path of a file that holds it (Docker and systemd hand over secrets that way). What
cannot be read is reported by ``manage.py check``; see ``variables.py``.
"""

from .environment import *  # noqa: I001  in the order in which a newcomer reads them
from .web import *
from .access import *
from .sso import *
from .https import *
from .database import *
from .language import *
from .im import *
from .logs import *
from .watch import *

from .environment import env

# What could not be read above; notifications/checks.py reports it.
SETTINGS_PROBLEMS = env.problems
