"""How long a test waits for what must happen. On a quiet machine it is there at once; a busy one must not make a test fail."""

PATIENCE = 60.0  # seconds
