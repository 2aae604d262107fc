"""Customer groups: groups of residents that no bot is let into. Who owns them, and the posts that their owners send for us."""
