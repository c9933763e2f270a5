"""Views: finding a view's file as Express does (``lookup``), and the built-in template engine (``engine``)."""
