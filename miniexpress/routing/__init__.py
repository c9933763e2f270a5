"""Routers, routes and layers."""

from .route import Route
from .router import Router

__all__ = ["Route", "Router"]
