"""Notifier: write, check, send and record Tencent IM group system notifications."""

# The only place; tests/test_toolchain.py compares pyproject.toml and the SBOM.
__version__ = "0.1.0"
