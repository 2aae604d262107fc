"""The limit: bare sqlite3 that commits one update after the other with synchronous=FULL, in our schema, with the rows our program
leaves for the same update. Run by its path: a database to write to, a file of rows, the most seconds, and "cases" to leave chatter out.

Prints {"updates", "cases", "rows", "seconds", "cpu"}.
"""

import json
import sqlite3
import sys
import time
from pathlib import Path


def main() -> None:
    database, file, most = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    only_cases = sys.argv[4:] == ["cases"]
    work = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    if only_cases:
        work = [rows for rows in work if len(rows) > 1]
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    inserts: dict[str, str] = {}
    for table, values in (one for rows in work for one in rows):
        inserts.setdefault(table, f'INSERT INTO "{table}" VALUES ({",".join("?" * len(values))})')  # noqa: S608
    updates = cases = count = 0
    started, cpu = time.perf_counter(), time.process_time()
    for rows in work:
        connection.execute("BEGIN IMMEDIATE")
        for table, values in rows:
            connection.execute(inserts[table], values)
        connection.execute("COMMIT")
        updates += 1
        cases += len(rows) > 1
        count += len(rows)
        if time.perf_counter() - started > most:
            break
    seconds = time.perf_counter() - started
    taken = {"updates": updates, "cases": cases, "rows": count, "seconds": seconds, "cpu": time.process_time() - cpu}
    print(json.dumps(taken))


if __name__ == "__main__":
    main()
