"""Other people's files are those their packages had, all listed, each with its licence, and load nothing from elsewhere."""

import hashlib
import re
import tomllib
from pathlib import Path

VENDOR = Path(__file__).parents[2] / "web" / "static" / "vendor"
PACKAGES = tomllib.loads((VENDOR / "vendor.toml").read_text(encoding="utf-8"))["package"]


def test_vendor_files_are_exactly_those_listed() -> None:
    listed = {f"{package['folder']}/{name}" for package in PACKAGES for name in package["files"]}
    present = {path.relative_to(VENDOR).as_posix() for path in VENDOR.glob("*/*")}

    assert present == listed


def test_vendor_files_have_the_sums_listed() -> None:
    changed = [
        f"{package['folder']}/{name}"
        for package in PACKAGES
        for name, entry in package["files"].items()
        if hashlib.sha256((VENDOR / package["folder"] / name).read_bytes()).hexdigest() != entry["sha256"]
    ]

    assert changed == []


def test_vendor_packages_come_with_version_and_licence() -> None:
    assert {(package["name"], package["version"], package["licence"]) for package in PACKAGES} == {
        ("@tabler/core", "1.6.1", "MIT"),
        ("htmx.org", "4.0.1", "0BSD"),
        ("sortablejs", "1.15.7", "MIT"),
        ("@tabler/icons", "3.51.0", "MIT"),
    }
    assert [package["folder"] for package in PACKAGES if "LICENSE" not in package["files"]] == []


def test_style_sheets_load_nothing_from_elsewhere() -> None:
    sheets = [*VENDOR.glob("*/*.css"), *VENDOR.parent.glob("*.css")]
    outside = [
        (sheet.name, address)
        for sheet in sheets
        for address in re.findall(r"""url\(\s*["']?([^"')]+)|@import""", sheet.read_text(encoding="utf-8"))
        if not address.startswith(("data:", "#"))
    ]

    assert len(sheets) >= 2
    assert outside == []
