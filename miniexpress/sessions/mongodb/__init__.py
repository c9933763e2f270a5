"""Sessions in MongoDB."""

from .connect_mongo import ConnectMongoStore
from .store import MongoDBStore

__all__ = ["ConnectMongoStore", "MongoDBStore"]
