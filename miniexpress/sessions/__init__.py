"""Sessions: express-session's behaviour, cookie and document, in Python."""
