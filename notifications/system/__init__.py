"""Health, metrics, checks, backup and the connection to Tencent."""
