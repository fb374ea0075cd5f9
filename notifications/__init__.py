"""Notifier: write, check, send and record Tencent IM group system notifications."""

# As pyproject.toml has it.
__version__ = "0.1.0"
