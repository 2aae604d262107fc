"""What `wuwei nlp train --with-corrections` reads: the corrections that the database keeps."""

from pathlib import Path

from bot.commands.opening import database_of, settings_of
from domain import corrections


def corrections_of(config: Path | None) -> list[dict[str, str]]:
    """The corrections of staff and residents, as labelled lines."""
    with database_of(settings_of(config)) as database, database.reading() as session:
        return corrections.labelled(session)
