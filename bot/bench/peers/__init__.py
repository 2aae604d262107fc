"""The programs we are measured against, each run by its path in a process of its own. None is ever imported by ours."""
