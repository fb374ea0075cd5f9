"""Two instances of the pages behind nginx, with the deployed configuration."""

import signal
import subprocess
import sys
from pathlib import Path

import requests

from tests.environment import ROOT
from tests.faults.next_release import NextRelease
from tests.faults.places import free_port, manage
from tests.faults.scene import Scene
from tests.faults.watched import Process, wait_for

NAME = "notifier.example.com"
DEPLOY = ROOT / "deploy"
MAIN = """
daemon off;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {home}/body;
    proxy_temp_path {home}/proxy;
    fastcgi_temp_path {home}/fastcgi;
    uwsgi_temp_path {home}/uwsgi;
    scgi_temp_path {home}/scgi;
    include {home}/upstream.conf;
    include {home}/notifier.conf;
}}
"""


class Web:
    """``address`` is that of the proxy; ``certificate`` is whom to trust."""

    def __init__(self, scene: Scene, home: Path) -> None:
        self.scene = scene
        self.home = home
        self.certificate = home / "tls.crt"
        self.ports = [free_port(), free_port()]
        https = free_port()
        self.address = f"https://{NAME}:{https}"
        self._https = https
        self._env = scene.env | {
            "USE_HTTPS": "on",
            "BEHIND_TLS_PROXY": "on",
            "TRUSTED_PROXIES": "1",
            "ALLOWED_HOSTS": NAME,
            "CSRF_TRUSTED_ORIGINS": f"{self.address}",
        }
        self._processes: list[Process] = []

    def start(self) -> None:
        self.home.mkdir(parents=True)
        manage(self._env, "collectstatic", "--no-input", "--verbosity=0")
        self._processes = [self._instance(n, None) for n in range(2)]
        self._configure()
        self._proxy = Process(
            ["nginx", "-c", str(self.home / "nginx.conf"), "-p", str(self.home)],
            self._env,
            self.scene.log_file("nginx"),
        )
        for n in range(2):
            self._wait(n)

    def replace(self, n: int, release: NextRelease | None) -> None:
        """Stop one instance and start another on its port."""
        old = self._processes[n]
        old.signal(signal.SIGTERM)
        if code := old.wait():
            raise AssertionError(f"SIGTERM ended the pages with {code}; see {old.log}")
        self._processes[n] = self._instance(n, release)
        self._wait(n)

    def stop(self) -> None:
        for process in self._processes:
            process.signal(signal.SIGTERM)
            process.wait()
        if hasattr(self, "_proxy"):
            # SIGKILL would leave its worker processes behind.
            self._proxy.signal(signal.SIGTERM)
            self._proxy.wait()

    def _instance(self, n: int, release: NextRelease | None) -> Process:
        more = release.place if release else {}
        variables = release.variables if release else {}
        return Process(
            [sys.executable, "-m", "gunicorn", "--config", "deploy/gunicorn.conf.py"],
            self._env | variables | {"WEB_BIND": f"127.0.0.1:{self.ports[n]}"},
            self.scene.log_file(f"web{n + 1}"),
            **more,
        )

    def _wait(self, n: int) -> None:
        """Wait until it responds, as systemd's ExecStartPost does."""

        def answers() -> bool:
            try:
                return requests.get(
                    f"http://127.0.0.1:{self.ports[n]}/login/",
                    headers={"Host": NAME, "X-Forwarded-Proto": "https"},
                    timeout=10,
                ).ok
            except requests.RequestException:
                return False

        wait_for(answers, f"pages {n + 1}")

    def _configure(self) -> None:
        key = self.home / "tls.key"
        subprocess.run(  # noqa: S603  a constant command
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",  # noqa: S607  of the system
             "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
             "-keyout", str(key), "-out", str(self.certificate)],
            check=True, capture_output=True,
        )  # fmt: skip
        site = (DEPLOY / "nginx" / "notifier.conf").read_text()
        for deployed, here in [
            ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
            ("listen 443 ", f"listen 127.0.0.1:{self._https} "),
            ("/etc/ssl/notifier/tls.crt", str(self.certificate)),
            ("/etc/ssl/notifier/tls.key", str(key)),
            ("/var/log/nginx/notifier.log", f"{self.home}/access.log"),
            # The port is part of the name here, which it is not on 443.
            ("Host $host;", "Host $http_host;"),
        ]:
            assert deployed in site, deployed
            site = site.replace(deployed, here)
        upstream = (DEPLOY / "nginx" / "upstream.conf").read_text()
        for deployed, port in zip(("8001", "8002"), self.ports, strict=True):
            upstream = upstream.replace(deployed, str(port))
        (self.home / "notifier.conf").write_text(site)
        (self.home / "upstream.conf").write_text(upstream)
        (self.home / "nginx.conf").write_text(MAIN.format(home=self.home))
