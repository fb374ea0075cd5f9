"""Pages of Write, Check and resend."""
