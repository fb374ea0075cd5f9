"""Copying the list of chat groups from Tencent, in a thread of the worker.

``GroupSync`` holds the progress of a run, so any worker continues where another one was
killed. Reading calls are harmless: whatever is not known to be written is asked again.
A sync never deletes a group and never sends a notification.
"""
