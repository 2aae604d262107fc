"""Photos, voices and files that people send: what they really are, what is taken, and where they lie on the disk.

Nothing a sender says about a file is believed: the type is read from its bytes, pictures are drawn anew without what the camera wrote
beside them (where and when, with which telephone), and what is not on the list is refused. What the tables say about files is
domain/files.py. Drawing takes a second and a hundred megabytes for a large photo: call it in a worker thread, one at a time.
"""

import hashlib
import io
import os
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from core.errors import Refused
from core.messages import AttachmentKind

SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "audio/ogg": ".ogg",
    "audio/amr": ".amr",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/3gpp": ".3gp",
    "application/pdf": ".pdf",
    "application/msword": ".doc",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
}
TYPES = {suffix: media_type for media_type, suffix in SUFFIXES.items()}
PICTURES = ("JPEG", "PNG", "WEBP", "GIF")

# What must never be passed on, whatever it is called: programs, scripts, and pages a browser would run.
DANGEROUS = (
    b"MZ",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xfe\xed\xfa",
    b"dex\n",
    b"#!",
)
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")

# Brands of the "ftyp" box, by the beginning of the name.
HEIC_BRANDS = (b"heic", b"heix", b"hei", b"hevc", b"hevx", b"mif1", b"msf1", b"avi")
SOUND_BRANDS = (b"M4A", b"M4B")
FILM_BRANDS = (b"isom", b"iso", b"mp4", b"avc1", b"M4V", b"MSNV", b"dash", b"f4v")

OFFICE_PARTS = {"word/document.xml": ".docx", "xl/workbook.xml": ".xlsx", "ppt/presentation.xml": ".pptx"}
OLD_OFFICE_STREAMS = {"WordDocument": ".doc", "Workbook": ".xls", "Book": ".xls", "PowerPoint Document": ".ppt"}

LONGEST_SIDE = 4096  # enough to read a meter in the corner of a photo; platforms take no larger ones
# A small picture without loss is a screenshot: its letters stay sharp. A large one is a photo that somebody saved as PNG.
SCREENSHOT_PIXELS = 6_000_000
QUALITY = 88
THUMBNAIL_QUALITY = 80
# What the camera's note "held sideways" asks for.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# All that Pillow was seen to raise on a damaged picture.
BROKEN = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, slots=True)
class CleanMedia:
    """A file fit to be kept and passed on. `kind` is what it is, not what the sender called it."""

    data: bytes
    kind: AttachmentKind
    media_type: str


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file that lies in the media folder under its hash."""

    sha256: str
    kind: AttachmentKind
    media_type: str
    size: int


def check_and_clean(data: bytes, *, kind: AttachmentKind, largest_bytes: int, largest_pixels: int) -> CleanMedia:
    """The file as it may be kept. Refused: empty, too large, broken, of a type not on the list, or not of the `kind` it came as.

    A FILE may be anything on the list: people send photos as files too.
    """
    if not data:
        raise Refused("files.empty")
    check_size(len(data), largest_bytes)
    clean = _clean(data, largest_pixels)
    if kind not in (AttachmentKind.FILE, clean.kind):
        raise Refused(f"files.not_a_{kind}")
    return clean


def check_size(size: int, largest_bytes: int) -> None:
    """Refuses a file larger than allowed; needs no more than its length, so that it can be asked before the download."""
    if size > largest_bytes:
        raise Refused("files.too_large", most=f"{largest_bytes / 1024 / 1024:.3g}")


def check_and_save(
    folder: Path, data: bytes, *, kind: AttachmentKind, largest_bytes: int, largest_pixels: int
) -> StoredMedia:
    """Checks, cleans and saves a file. Everything slow about a file is in here: call it in a worker thread."""
    media = check_and_clean(data, kind=kind, largest_bytes=largest_bytes, largest_pixels=largest_pixels)
    return StoredMedia(save(folder, media), media.kind, media.media_type, len(media.data))


def path_of(folder: Path, sha256: str) -> Path:
    """Where a file lies. Raises ValueError for what is no hash, so that no path can be smuggled in."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError("not a hash")
    return folder / sha256[:2] / sha256[2:]


def save(folder: Path, media: CleanMedia) -> str:
    """Puts the file under its hash and returns it. Afterwards it is on the disk whole, also when the power fails."""
    sha256 = hashlib.sha256(media.data).hexdigest()
    path = path_of(folder, sha256)
    if _is_there(path, len(media.data)):
        return sha256
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Made beside its place and with mode 0600; only a whole file ever gets the name others read it by.
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(media.data)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
    for changed in (path.parent, folder):
        _sync_folder(changed)
    return sha256


def _is_there(path: Path, size: int) -> bool:
    """Whether the whole file lies there already. It is made fresh, so that the nightly clean-up waits for the row that names it."""
    try:
        os.utime(path)
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def thumbnail(path: Path, size: int) -> bytes:
    """A small JPEG of a stored picture, at most `size` pixels wide and high."""
    try:
        with Image.open(path, formats=PICTURES) as picture:
            return _as_jpeg(_shrunk(picture, size), THUMBNAIL_QUALITY)
    except FileNotFoundError:
        raise Refused("files.gone") from None
    except BROKEN:
        raise Refused("files.not_a_photo") from None


def _clean(data: bytes, largest_pixels: int) -> CleanMedia:
    """By the first bytes: which of the cleaners below is asked."""
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")) or data[8:12] == b"WEBP":
        return _clean_picture(data, largest_pixels)
    if data[4:8] == b"ftyp":
        return _clean_film(data)
    if data.startswith(b"OggS"):
        return CleanMedia(data, AttachmentKind.VOICE, "audio/ogg")
    if data.startswith(b"#!AMR"):
        return CleanMedia(data, AttachmentKind.VOICE, "audio/amr")
    if data.startswith((b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")):
        return _clean_mp3(data)
    if data.startswith(b"%PDF-"):
        return CleanMedia(data, AttachmentKind.FILE, "application/pdf")
    if data.startswith(b"PK\x03\x04"):
        return _checked_office(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _checked_old_office(data)
    raise Refused("files.dangerous" if _is_dangerous(data) else "files.unknown_type")


def _is_dangerous(data: bytes) -> bool:
    if data.startswith(DANGEROUS):
        return True
    head = data[:1024]
    for mark in BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    # HTML, SVG and other markup, also when every second byte is empty (UTF-16).
    return head.replace(b"\0", b"").lstrip().startswith(b"<")


def _clean_picture(data: bytes, largest_pixels: int) -> CleanMedia:
    """The picture drawn anew, upright, on white, without anything beside the pixels. Animations keep their first frame."""
    try:
        with Image.open(io.BytesIO(data), formats=PICTURES) as picture:
            # Only the head has been read so far: a bomb is refused before it unfolds.
            if picture.width * picture.height > largest_pixels:
                raise _too_many_pixels(largest_pixels)
            is_screenshot = picture.format in ("PNG", "GIF") and picture.width * picture.height <= SCREENSHOT_PIXELS
            drawn = _shrunk(picture, LONGEST_SIDE)
            if is_screenshot:
                return CleanMedia(_as_png(drawn), AttachmentKind.PHOTO, "image/png")
            return CleanMedia(_as_jpeg(drawn, QUALITY), AttachmentKind.PHOTO, "image/jpeg")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(largest_pixels) from None
    except BROKEN:
        raise Refused("files.broken_picture") from None


def _too_many_pixels(largest_pixels: int) -> Refused:
    return Refused("files.too_many_pixels", most=largest_pixels // 10_000)


def _shrunk(picture: Image.Image, side: int) -> Image.Image:
    """The picture upright, on white, at most `side` wide and high. Shrinks first: every later copy is then small."""
    if picture.mode in ("P", "1"):
        picture = picture.convert("RGBA")  # colours that are only numbers cannot be mixed
    picture.thumbnail((side, side))
    picture.load()  # thumbnail leaves a small one unread
    turn = TURNS.get(_orientation(picture))
    if turn is not None:
        picture = picture.transpose(turn)
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda level: level / 256).convert(
            "L"
        )  # a plain convert makes all but the darkest white
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    paper = Image.new("RGB", picture.size, "white")
    paper.paste(picture, mask=picture.getchannel("A"))
    return paper


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(0x0112, 1))
    except BROKEN:
        return 1  # a good photo with a damaged label is still a good photo


def _as_jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    _bare(picture).save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _as_png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    _bare(picture).save(out, "PNG")
    return out.getvalue()


def _bare(picture: Image.Image) -> Image.Image:
    """Pixels and nothing else: Pillow carries comments and profiles along in `info`, and would write them out again."""
    picture.info = {}
    return picture


def _clean_mp3(data: bytes) -> CleanMedia:
    """The sound without its tags (ID3), in which recorders write names and places."""
    if data.startswith(b"ID3") and len(data) > 10:
        length = 0
        for byte in data[6:10]:
            length = length << 7 | byte & 0x7F
        data = data[10 + length :].lstrip(b"\0")
    if len(data) > 128 and data[-128:-125] == b"TAG":
        data = data[:-128]
    if len(data) < 4 or data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        raise Refused("files.unknown_type")
    return CleanMedia(data, AttachmentKind.VOICE, "audio/mpeg")


def _clean_film(data: bytes) -> CleanMedia:
    """MP4 and its kin. The boxes in which telephones write the place are blanked; lengths stay, so the film still plays."""
    brand = data[8:12]
    if brand.startswith(HEIC_BRANDS):
        raise Refused("files.heic")
    if brand.startswith(SOUND_BRANDS):
        kind, media_type = AttachmentKind.VOICE, "audio/mp4"
    elif brand == b"qt  ":
        kind, media_type = AttachmentKind.VIDEO, "video/quicktime"
    elif brand.startswith((b"3gp", b"3g2")):
        kind, media_type = AttachmentKind.VIDEO, "video/3gpp"
    elif brand.startswith(FILM_BRANDS):
        kind, media_type = AttachmentKind.VIDEO, "video/mp4"
    else:
        raise Refused("files.unknown_type")
    cleaned = bytearray(data)
    _blank_boxes(cleaned, 0, len(cleaned))
    return CleanMedia(bytes(cleaned), kind, media_type)


def _blank_boxes(data: bytearray, start: int, end: int) -> None:
    """Turns every box of user data between two places into free space."""
    while start + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, start)
        head = 8
        if length == 1 and start + 16 <= end:
            (length,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        elif length == 0:
            length = end - start
        if length < head or start + length > end:
            raise Refused("files.broken_film")
        if name in (b"udta", b"meta", b"uuid"):
            data[start + 4 : start + 8] = b"free"
            data[start + head : start + length] = bytes(length - head)
        elif name in (b"moov", b"trak"):
            _blank_boxes(data, start + head, start + length)
        start += length


def _checked_office(data: bytes) -> CleanMedia:
    """Word, Excel and PowerPoint are ZIP files; only the list of names is read, nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, *BROKEN):
        raise Refused("files.unknown_type") from None
    if any(name.lower().endswith(("vbaproject.bin", ".dex", ".class", ".exe")) for name in names):
        raise Refused("files.dangerous")
    for part, suffix in OFFICE_PARTS.items():
        if part in names:
            return CleanMedia(data, AttachmentKind.FILE, TYPES[suffix])
    raise Refused("files.unknown_type")


def _checked_old_office(data: bytes) -> CleanMedia:
    """Office before 2007, told by the names of its streams. Windows installers have the same first bytes."""
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise Refused("files.dangerous")
    for stream, suffix in OLD_OFFICE_STREAMS.items():
        if f"{stream}\0".encode("utf-16-le") in data:
            return CleanMedia(data, AttachmentKind.FILE, TYPES[suffix])
    raise Refused("files.unknown_type")
