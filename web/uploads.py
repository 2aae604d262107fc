"""Files that come with a form: checked, cleaned and kept in the media folder before the transaction that gives them a row."""

from functools import partial

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from core.errors import Refused
from core.media import StoredMedia, check_and_save, check_size
from core.messages import AttachmentKind
from web.auth import services_of
from web.forms import Posted

MOST_UPLOADS = 9


async def keep_uploads(request: Request, form: Posted, name: str) -> list[tuple[StoredMedia, str | None]]:
    """What was chosen in the field `name`, with the files' own names. Refused when there are too many, or one is no good."""
    uploads = form.uploads(name)
    if len(uploads) > MOST_UPLOADS:
        raise Refused("web.too_many_photos", most=MOST_UPLOADS)
    services = services_of(request)
    caps = services.settings.media
    stored: list[tuple[StoredMedia, str | None]] = []
    for upload in uploads:
        check_size(upload.size or 0, caps.largest_bytes)
        save = partial(
            check_and_save,
            services.media_folder,
            await upload.read(),
            kind=AttachmentKind.FILE,
            largest_bytes=caps.largest_bytes,
            largest_pixels=caps.largest_pixels,
        )
        stored.append((await run_in_threadpool(save), upload.filename))
    return stored
