"""Tables: columns and nothing else. What may happen to a row is decided in domain/."""
