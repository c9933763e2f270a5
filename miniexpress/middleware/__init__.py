"""Middleware that nearly every app needs, each under the name of its npm package."""
