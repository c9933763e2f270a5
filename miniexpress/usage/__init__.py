"""The ways in which an app uses the package: callbacks and their parameters, the calling line, and mistaken names."""
