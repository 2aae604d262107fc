"""Text to understanding: pure functions without tables or network that never raise on any text."""
