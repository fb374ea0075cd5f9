"""A TCP proxy between one worker and PostgreSQL that simulates a network failure."""

import select
import socket
import threading
from types import TracebackType
from typing import Self

from tests.faults.places import free_port


class Cable:
    """While cut, bytes in both directions wait; after healing, they arrive late.

    This simulates a temporary loss of packets, which neither side is notified of.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self._target = ("127.0.0.1", target_port)
        self._is_whole = threading.Event()
        self._is_whole.set()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(0.1)

    def cut(self) -> None:
        self._is_whole.clear()

    def heal(self) -> None:
        self._is_whole.set()

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for thread in list(self._threads):
            thread.join()
        self._listener.close()

    def _run(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                near, _address = self._listener.accept()
            except TimeoutError:
                continue
            self._run(self._carry, near)

    def _carry(self, near: socket.socket) -> None:
        with near:
            self._wait_until_whole()
            try:
                far = socket.create_connection(self._target)
            except OSError:
                return
            with far:
                other = {near: far, far: near}
                while not self._stopping.is_set():
                    ready, _, _ = select.select([near, far], [], [], 0.1)
                    for end in ready:
                        self._wait_until_whole()
                        if not self._move(end, other[end]):
                            return

    def _wait_until_whole(self) -> None:
        while not self._is_whole.wait(0.1) and not self._stopping.is_set():
            pass

    def _move(self, source: socket.socket, target: socket.socket) -> bool:
        """Whether both ends are still open."""
        try:
            data = source.recv(65536)
            if data:
                target.sendall(data)
        except OSError:
            return False
        return bool(data)
