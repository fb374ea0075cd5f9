"""The configuration of gunicorn: ``gunicorn --config deploy/gunicorn.conf.py``.

WEB_BIND          address and port; 127.0.0.1:8000
WEB_CONCURRENCY   processes; 2
WEB_THREADS       threads of each process; 4 or more, because pages wait for the database,
                  downloads occupy up to 2 (notifications/console/request_limits.py), and a page
                  that waits for the worker 1 (notifications/delivery/requests.py)
"""

import ctypes
import os
import signal
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

MAX_WAITING = 100  # queued connections that a stopping worker accepts
SO_ATTACH_FILTER = 26  # of Linux
# Seconds after which the connection of a client that reads nothing is closed.
UNREAD_SECONDS = 60
CLOSING_THREADS = 4
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class LeavingWorker(ThreadWorker):
    """Closes its port at once when it is stopped, and is not held up by its clients.

    gunicorn's own worker keeps the port open until the last response ends: during a long
    download it accepts other connections and does not respond, for up to
    ``graceful_timeout``. With a closed port, the proxy tries the other instance. And it
    only notices a stop after it has loaded the console, which takes seconds.
    """

    def load_wsgi(self) -> None:
        """Load the console; SIGTERM ends the process, which has no request yet."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if not self.alive:
            sys.exit(0)
        super().load_wsgi()
        signal.signal(signal.SIGTERM, self.handle_exit)

    def init_process(self) -> None:
        self.closing = ThreadPoolExecutor(CLOSING_THREADS)
        super().init_process()

    def enqueue_req(self, conn: TConn) -> None:
        """Bound the time that a client takes which does not read or does not close.

        gunicorn's own worker waits for the first one for ever, and up to 2 s for the
        second one in the thread that accepts all connections.
        """
        with suppress(OSError):  # the client has closed it already
            conn.sock.setsockopt(
                socket.SOL_SOCKET,
                socket.SO_SNDTIMEO,
                struct.pack("@ll", UNREAD_SECONDS, 0),
            )
        conn.close = partial(self._close, conn)
        super().enqueue_req(conn)

    def _close(self, conn: TConn, graceful: bool = False) -> None:
        with suppress(OSError):  # likewise
            conn.sock.shutdown(socket.SHUT_WR)
        self.closing.submit(TConn.close, conn, graceful)

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if self.alive:
            return
        for listener in self.sockets:
            _drop_new_connections(listener)
            # Closing the socket would reset connections that are not accepted yet.
            for _n in range(MAX_WAITING):
                self.accept(listener)
            listener.close()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Log as gunicorn does, but without the query string."""
        if req is not None:
            req.uri = req.path
        super().handle_error(req, client, addr, exc)


def _drop_new_connections(listener: Any) -> None:
    """Ignore connections from now on, in all processes that share the port.

    Otherwise the kernel would reset those that arrive between the last ``accept`` and the
    close. The client repeats an ignored one after a second, and is refused.
    """
    # A program of the kernel's packet filter with the only instruction "return 0".
    program = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
    with suppress(OSError):  # not on Linux
        listener.sock.setsockopt(
            socket.SOL_SOCKET,
            SO_ATTACH_FILTER,
            struct.pack("HP", 1, ctypes.addressof(program)),
        )


def _block_stop_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)


def _unblock_stop_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _end_by_stop_signals() -> None:
    """In a new process: replace the inherited handlers, then receive what has waited."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    _unblock_stop_signals()


# A new process has the handlers of gunicorn's main process until it sets its own. They
# would put a signal into a queue that this process never reads, and the signal would be
# lost: the process would keep the port open for up to ``graceful_timeout``.
os.register_at_fork(
    before=_block_stop_signals,
    after_in_parent=_unblock_stop_signals,
    after_in_child=_end_by_stop_signals,
)


def _number(name: str, default: int, *, least: int) -> int:
    text = os.environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise SystemExit(f"{name} is “{text}”. Use a whole number from {least}.")
    return int(text)


def _address(name: str, default: str) -> str:
    text = (os.environ.get(name) or default).strip()
    port = text.rpartition(":")[2]
    is_port = port.isascii() and port.isdecimal() and 0 < int(port) < 65536
    if not (is_port or text.startswith("unix:")):
        raise SystemExit(f"{name} is “{text}”. Use ADDRESS:PORT.")
    return text


wsgi_app = "notifier_site.wsgi"
bind = _address("WEB_BIND", "127.0.0.1:8000")
worker_class = LeavingWorker
workers = _number("WEB_CONCURRENCY", 2, least=1)
threads = _number("WEB_THREADS", 4, least=4)
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
