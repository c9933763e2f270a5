"""Routers, routes and layers."""

from .router import Route, Router

__all__ = ["Route", "Router"]
