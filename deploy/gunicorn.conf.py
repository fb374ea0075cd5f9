"""The configuration of gunicorn: ``gunicorn --config deploy/gunicorn.conf.py``.

WEB_BIND          address and port; 127.0.0.1:8000
WEB_CONCURRENCY   processes; 2
WEB_THREADS       threads of each process; 4, because pages wait for the database
"""

import os
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

MAX_WAITING = 100  # queued connections that a stopping worker accepts


class LeavingWorker(ThreadWorker):
    """Closes its port at once when it is stopped.

    gunicorn's own worker keeps the port open until the last response ends: during a long
    download it accepts other connections and does not respond, for up to
    ``graceful_timeout``. With a closed port, the proxy tries the other instance.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            # Closing the socket would reset connections that are not accepted yet.
            for _n in range(MAX_WAITING):
                self.accept(listener)
            listener.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Log as gunicorn does, but without the query string."""
        if req is not None:
            req.uri = req.path
        super().handle_error(req, client, addr, exc)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise SystemExit(f"{name} is “{text}”. Use a whole number from 1.")
    return int(text)


wsgi_app = "notifier_site.wsgi"
bind = os.environ.get("WEB_BIND") or "127.0.0.1:8000"
worker_class = LeavingWorker
workers = _number("WEB_CONCURRENCY", 2)
threads = _number("WEB_THREADS", 4)
# Each process loads the code itself, so that one started after a crash is identical.
preload_app = False
# Do not recycle processes: their memory does not grow, and recycling would hide a leak.
max_requests = 0
# Seconds after which a silent main thread counts as hung; downloads may take longer.
timeout = 60
# Seconds for requests in progress at a stop, such as a download of a million deliveries.
graceful_timeout = 120
# The proxy opens a connection per request. gunicorn could close a kept connection just
# as the proxy sends a form, which it must not send twice.
keepalive = 0
# The heartbeat files of the processes are in memory, independent of a slow disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108  a folder of the kernel's, files have no name
control_socket_disable = True
# Trust forwarded addresses of the local proxy only; Django uses TRUSTED_PROXIES.
forwarded_allow_ips = "127.0.0.1"
# The proxy writes the access log.
accesslog = None
errorlog = "-"
loglevel = "info"
