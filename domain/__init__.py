"""Rules: functions that take a session. They never commit, send, sleep, read the clock or read the configuration."""
