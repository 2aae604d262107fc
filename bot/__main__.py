"""`wuwei` at the shell; `python -m bot` is the same."""

from bot.cli import main

if __name__ == "__main__":
    main()
