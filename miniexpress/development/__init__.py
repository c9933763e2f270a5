"""Help while an app is being written."""
