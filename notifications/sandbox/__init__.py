"""A local replacement of Tencent's endpoint for development, the demo and tests."""
