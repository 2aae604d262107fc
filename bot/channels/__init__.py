"""One module a platform, each behind the Channel protocol of base.py. They import core and nothing else of ours."""
