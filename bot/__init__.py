"""The running process: ears, mouth, clock and wiring. Nothing imports it."""
