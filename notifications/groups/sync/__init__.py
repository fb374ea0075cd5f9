"""Copying the list of chat groups from Tencent, in a thread of the worker.

``GroupSync`` stores the progress of a run, so any worker can continue after another one
was killed. The calls only read: a call whose result was not written is repeated.
A sync never deletes a group and never sends a notification.
"""
