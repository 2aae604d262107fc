"""Photos, voices and files of cases, for those who may see the case; pictures also small."""

from pathlib import Path
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from core.clock import in_china
from core.errors import Refused
from core.media import path_of, thumbnail
from domain.cases import showing
from web.auth import CurrentVisitor, services_of

router = APIRouter(prefix="/files")

SMALL = 320
SHOWN = ("image/", "audio/", "video/mp4")
# A file's address never changes its bytes, but it is one person's to see: kept by this browser alone, and not for long.
KEEPING = "private, max-age=3600"
# Whatever a file holds, the browser runs nothing of it.
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"


@router.get("/{file_id}")
async def show(request: Request, visitor: CurrentVisitor, file_id: int) -> Response:
    """The file itself; pictures, sounds and films are shown, others downloaded. ?size=small: a small JPEG of a picture."""
    services = services_of(request)
    today = in_china(services.clock.now()).date()
    row = await services.database.read(
        lambda session: showing.file_for(session, visitor.person_id, file_id, today=today)
    )
    assert row.sha256 is not None
    assert row.media_type is not None
    path: Path = path_of(services.media_folder, row.sha256)
    if not path.is_file():
        raise Refused("web.file_not_found")
    headers = {"cache-control": KEEPING, "content-security-policy": POLICY}
    if request.query_params.get("size") == "small" and row.media_type.startswith("image/"):
        small = await run_in_threadpool(thumbnail, path, SMALL)
        return Response(small, media_type="image/jpeg", headers=headers)
    kind = "inline" if row.media_type.startswith(SHOWN) else "attachment"
    headers["content-disposition"] = f"{kind}; filename*=UTF-8''{quote(row.name or str(row.id))}"
    return FileResponse(path, media_type=row.media_type, headers=headers)
