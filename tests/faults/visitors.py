"""Users who continuously load pages and submit forms through the proxy."""

import re
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

PAUSE = 0.1  # seconds between two pages of one person, who reads fast
PAGES = ["/", "/history/", "/history/deliveries/", "/groups/labels/"]


class Here(HTTPAdapter):
    """Calls the name of the console on this machine, where no name server knows it."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        request.url = request.url.replace(parts.hostname, "127.0.0.1", 1)
        pools = self.poolmanager.connection_pool_kw
        pools["assert_hostname"] = pools["server_hostname"] = parts.hostname
        return super().send(request, *args, **kwargs)


# As notifier_site/settings/https.py names them with USE_HTTPS.
SESSION, CSRF = "__Host-sessionid", "__Host-csrftoken"


class Visitors:
    """Two readers and one user who submits forms. ``problems`` are sentences."""

    def __init__(self, address: str, certificate: Path, session_key: str) -> None:
        self.address = address
        self.pages = self.forms = 0
        self.slowest = 0.0
        self.problems: list[str] = []
        self._certificate = str(certificate)
        self._session_key = session_key
        self._watched: list[str] = []
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=act) for act in (self._read, self._read, self._post)
        ]

    def look_at(self, notification: int) -> None:
        own = f"/sent/{notification}/"
        self._watched = [own, f"{own}status/"]

    def __enter__(self) -> "Visitors":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = self._certificate
        session.mount("https://", Here())
        name = urlsplit(self.address).hostname
        session.cookies.set(SESSION, self._session_key, domain=name, secure=True)
        return session

    def _read(self) -> None:
        session = self._session()
        while not self._stopping.is_set():
            for page in [*PAGES, *self._watched]:
                answer = self._ask(session, "GET", page)
                self.pages += 1
                if answer is None or page != "/":
                    continue
                # A page and its style sheets may come from instances of two releases.
                for sheet in re.findall(r'href="(/static/[^"]+\.css)"', answer.text):
                    self._ask(session, "GET", sheet)
                    self.pages += 1

    def _post(self) -> None:
        session = self._session()
        self._ask(session, "GET", "/write/")
        while not self._stopping.is_set():
            token = session.cookies.get(CSRF) or ""
            self._ask(
                session,
                "POST",
                "/write/count/",
                data={"audience": "every", "csrfmiddlewaretoken": token},
                headers={"Referer": f"{self.address}/write/"},
            )
            self.forms += 1

    def _ask(
        self, session: requests.Session, method: str, page: str, **more: Any
    ) -> requests.Response | None:
        self._stopping.wait(PAUSE)
        began = time.monotonic()
        try:
            answer = session.request(
                method, self.address + page, timeout=60, allow_redirects=False, **more
            )
        except (requests.RequestException, OSError) as error:
            self.problems.append(f"{method} {page}: {error!r}")
            return None
        seconds = time.monotonic() - began
        self.slowest = max(self.slowest, seconds)
        if answer.status_code != 200:
            self.problems.append(f"{method} {page}: HTTP {answer.status_code}")
            return None
        return answer
