"""How gunicorn serves the pages: ``gunicorn --config deploy/gunicorn.conf.py``.

WEB_BIND          address and port; 127.0.0.1:8000
WEB_CONCURRENCY   processes; 2
WEB_THREADS       threads of each; 4, since a page waits for the database
"""

import os
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

WAITING_AT_MOST = 100  # connections that are taken over at the end


class LeavingWorker(ThreadWorker):
    """Once asked to stop it gives its port back at once.

    gunicorn's own keeps the port until the last answer is written: while one person
    downloads a long file, others are let in and hear nothing, for as long as
    ``graceful_timeout``. A port that is closed makes the proxy ask the other instance.
    """

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            # Who is connected already, but not accepted, would be cut off.
            for _n in range(WAITING_AT_MOST):
                self.accept(listener)
            listener.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """As gunicorn's, but what stands behind the ? of an address is not logged."""
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
# Each process loads the code for itself: a new one after a crash is as the first was.
preload_app = False
# No process is replaced by itself: none grows, and the alarms would be hidden.
max_requests = 0
# A process whose main thread is silent for so long has hung; a download may take longer.
timeout = 60
# What is under way at a stop may take so long: a download of a million deliveries.
graceful_timeout = 120
# The proxy opens a connection for each request. One that was kept could be closed by us
# at the moment at which it sends a form, which it must not send twice.
keepalive = 0
# The heartbeat of the processes: in memory, never behind a slow disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108  a folder of the kernel's, files have no name
control_socket_disable = True
# Only the proxy on this machine may say who called; Django asks TRUSTED_PROXIES.
forwarded_allow_ips = "127.0.0.1"
# The proxy writes the log of requests.
accesslog = None
errorlog = "-"
loglevel = "info"
