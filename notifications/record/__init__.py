"""The record: canonical text, seals, guards, verification, archive."""
