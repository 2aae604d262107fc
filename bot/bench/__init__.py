"""What the program can do on this machine, measured beside others in the same run. Not needed for running; begins in command.py."""
