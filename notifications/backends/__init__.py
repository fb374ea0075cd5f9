"""Who gets in, and what they may do. Settings and sessions name these classes."""

from .outside import OutsideBackend
from .permissions import RoleBackend

__all__ = ["OutsideBackend", "RoleBackend"]
