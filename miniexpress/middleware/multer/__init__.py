"""``multer``: middleware that reads ``multipart/form-data``, the forms with files. After npm multer 2.5.

The parser is the package ``multipart``: ``pip install 'miniexpress[multipart]'``. It is imported by ``multer()``.
"""

from .limits import Limits, MulterError
from .middleware import Multer, multer
from .storage import DiskStorage, File, MemoryStorage, Storage

__all__ = ["DiskStorage", "File", "Limits", "MemoryStorage", "Multer", "MulterError", "Storage", "multer"]
