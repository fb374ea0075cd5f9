"""Copying the list of chat groups from Tencent, beside the sending.

A thread of the worker, with limits of its own: ``GroupSync`` says what is asked for and
how far it is; any worker can go on where another one was killed.
"""
