"""What people send is taken for what it is, cleaned, and kept under its hash; what could do harm is refused."""

import hashlib
import io
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from core.errors import Refused
from core.media import CleanMedia, StoredMedia, check_and_clean, check_and_save, path_of, save, thumbnail
from core.messages import AttachmentKind
from core.texts import say

MOST = 20 * 1024 * 1024
PIXELS = 40_000_000
PHOTO, VOICE, VIDEO, FILE = AttachmentKind.PHOTO, AttachmentKind.VOICE, AttachmentKind.VIDEO, AttachmentKind.FILE


def clean(data: bytes, kind: AttachmentKind = PHOTO) -> CleanMedia:
    return check_and_clean(data, kind=kind, largest_bytes=MOST, largest_pixels=PIXELS)


def refusal(data: bytes, kind: AttachmentKind = PHOTO) -> str:
    """The key of the refusal; its sentence exists and all its blanks are filled."""
    with pytest.raises(Refused) as caught:
        clean(data, kind)
    assert say(caught.value.key, **caught.value.blanks)
    return caught.value.key


def drawn(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def halves(mode: str = "RGB") -> Image.Image:
    """60 × 40, black on the left and white on the right."""
    image = Image.new("RGB", (60, 40), "white")
    image.paste("black", (0, 0, 30, 40))
    return image.convert(mode)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def shade(image: Image.Image, place: tuple[int, int]) -> int:
    """0 for black to 255 for white."""
    return image.convert("L").tobytes()[place[1] * image.width + place[0]]


def office(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def test_photo_is_stripped_of_place_and_camera() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (30.0, 15.0, 42.0)
    planted = drawn(
        halves(), "JPEG", exif=exif, comment=b"SecretComment", xmp=b"<x:SecretXmp/>", icc_profile=b"SecretIcc" * 20
    )
    assert planted.count(b"Secret") == 23
    found = clean(planted)
    assert (found.kind, found.media_type) == (PHOTO, "image/jpeg")
    assert b"Secret" not in found.data
    assert b"Exif" not in found.data
    assert dict(opened(found.data).getexif()) == {}


def test_screenshot_is_stripped_of_its_notes() -> None:
    notes = PngInfo()
    notes.add_text("Author", "SecretName")
    planted = drawn(halves(), "PNG", pnginfo=notes, exif=b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00")
    assert b"SecretName" in planted
    assert b"eXIf" in planted
    found = clean(planted)
    assert found.media_type == "image/png"
    assert b"SecretName" not in found.data
    assert b"eXIf" not in found.data
    assert opened(found.data).info == {}


@pytest.mark.parametrize(
    ("orientation", "size", "black_corner"),
    [
        (1, (60, 40), (5, 5)),
        (2, (60, 40), (55, 5)),
        (3, (60, 40), (55, 35)),
        (4, (60, 40), (5, 35)),
        (5, (40, 60), (5, 5)),
        (6, (40, 60), (5, 5)),
        (7, (40, 60), (35, 55)),
        (8, (40, 60), (35, 55)),
    ],
)
def test_photo_is_put_upright(orientation: int, size: tuple[int, int], black_corner: tuple[int, int]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = opened(clean(drawn(halves(), "JPEG", exif=exif, quality=95)).data)
    assert found.size == size
    white_corner = (size[0] - 1 - black_corner[0], size[1] - 1 - black_corner[1])
    assert shade(found, black_corner) < 20
    assert shade(found, white_corner) > 235


def test_photo_with_a_damaged_label_is_still_taken() -> None:
    planted = drawn(halves(), "JPEG", exif=b"Exif\x00\x00nonsense, and no label at all")
    assert opened(clean(planted).data).size == (60, 40)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "RGB"])
def test_every_kind_of_colour_becomes_plain(mode: str) -> None:
    found = opened(clean(drawn(halves(mode), "JPEG" if mode == "CMYK" else "PNG")).data)
    assert found.mode == "RGB"
    assert shade(found, (5, 5)) < 20
    assert shade(found, (55, 5)) > 235


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    found = opened(clean(drawn(Image.new("I;16", (20, 20), 40_000), "PNG")).data)
    assert found.getpixel((3, 3)) == (156, 156, 156)


def test_transparent_picture_lies_on_white() -> None:
    found = opened(clean(drawn(Image.new("RGBA", (20, 20), (0, 0, 0, 0)), "PNG")).data)
    assert (found.mode, found.getpixel((3, 3))) == ("RGB", (255, 255, 255))


def test_animation_keeps_its_first_picture() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "green", "blue")]
    found = clean(drawn(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert found.media_type == "image/png"
    assert opened(found.data).getpixel((3, 3)) == (255, 0, 0)


def test_webp_becomes_jpeg() -> None:
    found = clean(drawn(halves(), "WEBP"))
    assert (found.media_type, opened(found.data).size) == ("image/jpeg", (60, 40))


def test_large_photo_is_shrunk() -> None:
    found = clean(drawn(Image.new("RGB", (5000, 2500), "gray"), "JPEG"))
    assert opened(found.data).size == (4096, 2048)


def test_large_picture_without_loss_becomes_jpeg() -> None:
    assert clean(drawn(Image.new("RGB", (3000, 2001), "gray"), "PNG")).media_type == "image/jpeg"


@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP"])
def test_bomb_is_refused_before_it_unfolds(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    small_file = drawn(Image.new("1" if format == "PNG" else "L", (8000, 6000)).convert("L"), format, method=0)
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("was decoded"))
    assert refusal(small_file) == "files.too_many_pixels"


def test_bomb_beyond_the_library_limit_is_refused() -> None:
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    assert refusal(data + box(b"IDAT", b"")) == "files.too_many_pixels"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.8])
def test_broken_picture_is_refused(format: str, part: float) -> None:
    whole = drawn(Image.effect_noise((200, 200), 80), format)
    assert refusal(whole[: int(len(whole) * part)]) == "files.broken_picture"


@settings(max_examples=60, deadline=None)
@given(data=st.data(), format=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]))
def test_damaged_picture_is_refused_or_redrawn_but_never_a_crash(data: st.DataObject, format: str) -> None:
    whole = bytearray(drawn(halves(), format))
    for place in data.draw(st.lists(st.integers(12, len(whole) - 1), min_size=1, max_size=12)):
        whole[place] = data.draw(st.integers(0, 255))
    try:
        found = clean(bytes(whole))
    except Refused as refused:
        assert refused.key in ("files.broken_picture", "files.too_many_pixels")
    else:
        assert opened(found.data).mode == "RGB"


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_are_taken_or_refused_with_a_sentence(data: bytes) -> None:
    try:
        clean(data, FILE)
    except Refused as refused:
        assert say(refused.key, **refused.blanks)


def test_empty_file_is_refused() -> None:
    assert refusal(b"") == "files.empty"


def test_file_over_the_limit_is_refused_and_told_the_limit() -> None:
    with pytest.raises(Refused) as caught:
        check_and_clean(b"\xff\xd8\xff" + bytes(MOST), kind=PHOTO, largest_bytes=MOST, largest_pixels=PIXELS)
    assert (caught.value.key, caught.value.blanks) == ("files.too_large", {"most": "20"})


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"avif"])
def test_heic_is_refused_with_what_to_do(brand: bytes) -> None:
    assert refusal(box(b"ftyp", brand + b"\0\0\0\0") + bytes(100)) == "files.heic"


def test_file_of_another_kind_than_it_came_as_is_refused() -> None:
    voice = b"OggS" + bytes(50)
    assert refusal(voice, PHOTO) == "files.not_a_photo"
    assert refusal(drawn(halves(), "PNG"), VOICE) == "files.not_a_voice"
    assert refusal(voice, VIDEO) == "files.not_a_video"


def test_photo_sent_as_a_file_becomes_a_photo() -> None:
    assert clean(drawn(halves(), "JPEG"), FILE).kind is PHOTO


def test_voice_is_taken_by_its_first_bytes() -> None:
    for data, media_type in (
        (b"OggS" + bytes(50), "audio/ogg"),
        (b"#!AMR\n" + bytes(50), "audio/amr"),
        (b"\xff\xfb\x90\x00" + bytes(50), "audio/mpeg"),
    ):
        assert clean(data, VOICE) == CleanMedia(data, VOICE, media_type)


def test_sound_loses_its_tags() -> None:
    sound = b"\xff\xfb\x90\x00" + bytes(200)
    tagged = (
        b"ID3\x04\x00\x00\x00\x00\x01\x02" + b"SecretPlace".ljust(130, b" ") + sound + b"TAG" + b"SecretName".ljust(125)
    )
    assert clean(tagged, VOICE) == CleanMedia(sound, VOICE, "audio/mpeg")


def test_tag_without_a_sound_is_refused() -> None:
    assert refusal(b"ID3\x04\x00\x00\x00\x00\x00\x04abcd<html>", VOICE) == "files.unknown_type"


@pytest.mark.parametrize(
    ("brand", "kind", "media_type"),
    [
        (b"isom", VIDEO, "video/mp4"),
        (b"mp42", VIDEO, "video/mp4"),
        (b"qt  ", VIDEO, "video/quicktime"),
        (b"3gp4", VIDEO, "video/3gpp"),
        (b"M4A ", VOICE, "audio/mp4"),
    ],
)
def test_film_keeps_its_pictures_and_loses_its_place(brand: bytes, kind: AttachmentKind, media_type: str) -> None:
    def film(udta: bytes, meta: bytes) -> bytes:
        track = box(b"trak", box(b"tkhd", b"track") + udta)
        return (
            box(b"ftyp", brand + b"\0\0\0\0")
            + box(b"moov", box(b"mvhd", b"head") + track + meta)
            + box(b"mdat", b"film")
        )

    planted = film(box(b"udta", b"+30.2741+120.1551/"), box(b"meta", b"SecretTelephone"))
    assert clean(planted, kind) == CleanMedia(film(box(b"free", bytes(18)), box(b"free", bytes(15))), kind, media_type)


def test_film_with_boxes_that_lie_is_refused() -> None:
    head = box(b"ftyp", b"isom\0\0\0\0")
    assert refusal(head + struct.pack(">I4s", 500, b"moov"), VIDEO) == "files.broken_film"
    assert refusal(head + struct.pack(">I4s", 3, b"moov") + bytes(8), VIDEO) == "files.broken_film"


def test_film_may_end_with_an_open_or_a_long_box() -> None:
    head = box(b"ftyp", b"isom\0\0\0\0")
    for tail in (struct.pack(">I4s", 0, b"mdat") + b"film", struct.pack(">I4sQ", 1, b"mdat", 20) + b"film"):
        assert clean(head + tail, VIDEO).data == head + tail


@pytest.mark.parametrize(
    ("part", "media_type"),
    [
        ("word/document.xml", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("xl/workbook.xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("ppt/presentation.xml", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ],
)
def test_office_file_is_taken_unless_it_carries_macros(part: str, media_type: str) -> None:
    plain = office("[Content_Types].xml", part)
    assert clean(plain, FILE) == CleanMedia(plain, FILE, media_type)
    assert refusal(office("[Content_Types].xml", part, "word/vbaProject.bin"), FILE) == "files.dangerous"


def test_archive_that_is_no_office_file_is_refused() -> None:
    assert refusal(office("notes.txt"), FILE) == "files.unknown_type"
    assert refusal(office("AndroidManifest.xml", "classes.dex"), FILE) == "files.dangerous"
    assert refusal(office("notes.txt")[:40], FILE) == "files.unknown_type"


def test_old_office_file_is_told_from_an_installer() -> None:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100)
    word = head + "WordDocument\0".encode("utf-16-le")
    assert clean(word, FILE) == CleanMedia(word, FILE, "application/msword")
    assert refusal(word + "_VBA_PROJECT".encode("utf-16-le"), FILE) == "files.dangerous"
    assert refusal(head, FILE) == "files.unknown_type"


def test_pdf_is_taken() -> None:
    assert clean(b"%PDF-1.7 text", FILE) == CleanMedia(b"%PDF-1.7 text", FILE, "application/pdf")


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90\x00" + bytes(60),
        b"\x7fELF\x02\x01",
        b"#!/bin/sh\nrm -rf x",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\xef\xbb\xbf \n<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "\ufeff<html>".encode("utf-16-le"),
        b"<?xml version='1.0'?><svg/>",
    ],
)
@pytest.mark.parametrize("kind", [PHOTO, FILE])
def test_programs_and_pages_are_refused(data: bytes, kind: AttachmentKind) -> None:
    assert refusal(data, kind) == "files.dangerous"


def test_saved_file_lies_under_its_hash_for_its_owner_only(tmp_path: Path) -> None:
    media = CleanMedia(b"%PDF-1.7", FILE, "application/pdf")
    sha256 = save(tmp_path / "media", media)
    assert sha256 == hashlib.sha256(b"%PDF-1.7").hexdigest()
    path = tmp_path / "media" / sha256[:2] / sha256[2:]
    assert path == path_of(tmp_path / "media", sha256)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"%PDF-1.7", 0o600)
    assert [found for found in (tmp_path / "media").rglob("*") if found.is_file()] == [path]


def test_file_saved_twice_lies_there_once_and_a_torn_one_is_mended(tmp_path: Path) -> None:
    media = CleanMedia(b"%PDF-1.7", FILE, "application/pdf")
    path = path_of(tmp_path, save(tmp_path, media))
    made = path.stat().st_ino
    save(tmp_path, media)
    assert path.stat().st_ino == made
    path.write_bytes(b"%PD")
    save(tmp_path, media)
    assert path.read_bytes() == b"%PDF-1.7"


def test_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    media = CleanMedia(b"%PDF-1.7", FILE, "application/pdf")
    sha256 = hashlib.sha256(media.data).hexdigest()
    path_of(tmp_path, sha256).mkdir(parents=True)  # a folder in its place: the last step fails
    with pytest.raises(OSError, match="directory"):
        save(tmp_path, media)
    assert list((tmp_path / sha256[:2]).iterdir()) == [path_of(tmp_path, sha256)]


def test_check_and_save_tells_what_lies_there(tmp_path: Path) -> None:
    stored = check_and_save(tmp_path, b"%PDF-1.7", kind=FILE, largest_bytes=MOST, largest_pixels=PIXELS)
    assert stored == StoredMedia(hashlib.sha256(b"%PDF-1.7").hexdigest(), FILE, "application/pdf", 8)


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "A" * 64, "g" * 64, "a" * 63])
def test_path_is_made_from_a_hash_only(name: str) -> None:
    with pytest.raises(ValueError, match="not a hash"):
        path_of(Path("media"), name)


def test_thumbnail_is_a_small_jpeg(tmp_path: Path) -> None:
    path = path_of(tmp_path, save(tmp_path, clean(drawn(Image.new("RGB", (800, 400), "red"), "JPEG"))))
    small = opened(thumbnail(path, 160))
    assert (small.format, small.size) == ("JPEG", (160, 80))


def test_thumbnail_of_no_picture_or_a_lost_one_is_refused(tmp_path: Path) -> None:
    path = path_of(tmp_path, save(tmp_path, CleanMedia(b"%PDF-1.7", FILE, "application/pdf")))
    for asked, key in ((path, "files.not_a_photo"), (tmp_path / "none", "files.gone")):
        with pytest.raises(Refused) as caught:
            thumbnail(asked, 160)
        assert caught.value.key == key
