"""The stand-in for Tencent's endpoint: used by developers, the demo and the tests."""
