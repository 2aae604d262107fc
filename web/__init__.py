"""The console: server-rendered pages over domain/, one file a noun."""
