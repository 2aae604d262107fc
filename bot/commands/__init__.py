"""What each command of the shell does, one file a noun; its name and options are in bot/cli.py."""
