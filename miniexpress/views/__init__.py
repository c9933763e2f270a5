"""Views: look-up, and the template engine that ships."""
