"""Gives a finished wheel another version.

A wheel with compiled code takes long to build, and everything that uses it would be
built and tested anew with each version. So it is built once, without a version of its
own, and only its metadata is written anew for a release. The format is that of the
binary distribution specification (PEP 427 and PEP 376).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import zipfile

from rookery.versions._errors import VersionSyntaxError
from rookery.versions._pep440 import Version

_NAME = re.compile(
    r"(?P<name>[^-]+)-(?P<version>[^-]+)(?P<rest>(?:-[^-]+){3,4}\.whl)", re.ASCII
)
_VERSION_LINE = re.compile(rb"^Version: [^\r\n]*", re.MULTILINE)


def set_wheel_version(name: str, content: bytes, version: Version) -> tuple[str, bytes]:
    """Gives a wheel another version.

    The result depends on the arguments only: the same wheel and version give the same
    bytes.

    Args:
        name: File name of the wheel.
        content: The wheel.
        version: The version it is to have.

    Returns:
        The new file name and the new wheel.

    Raises:
        VersionSyntaxError: It is no wheel, or has no metadata to change.
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise VersionSyntaxError(f"{name}: is not the name of a wheel")
    old = f"{match['name']}-{match['version']}."
    new = f"{match['name']}-{version}."
    files: list[tuple[zipfile.ZipInfo, bytes]] = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for info in archive.infolist():
                files.append((info, archive.read(info)))
    except zipfile.BadZipFile as error:
        raise VersionSyntaxError(f"{name}: is no wheel: {error}") from error
    changed = [
        (_renamed(info, old, new), _edited(info.filename, data, old, version))
        for info, data in files
    ]
    record = f"{new}dist-info/RECORD"
    names = [info.filename for info, _ in changed]
    if record not in names or f"{new}dist-info/METADATA" not in names:
        raise VersionSyntaxError(f"{name}: has no {old}dist-info with its metadata")
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in changed:
            if info.filename == record:
                data = _record(changed, record)
            archive.writestr(info, data, compress_type=info.compress_type)
    return f"{match['name']}-{version}{match['rest']}", output.getvalue()


def _renamed(info: zipfile.ZipInfo, old: str, new: str) -> zipfile.ZipInfo:
    name = info.filename
    for folder in ("dist-info/", "data/"):
        if name.startswith(old + folder):
            name = new + name[len(old) :]
    renamed = zipfile.ZipInfo(name, info.date_time)
    renamed.external_attr = info.external_attr
    renamed.compress_type = info.compress_type
    renamed.create_system = info.create_system
    return renamed


def _edited(name: str, data: bytes, old: str, version: Version) -> bytes:
    if name != f"{old}dist-info/METADATA":
        return data
    # The first is the header; a description below may speak of versions as well.
    return _VERSION_LINE.sub(f"Version: {version}".encode(), data, count=1)


def _record(files: list[tuple[zipfile.ZipInfo, bytes]], record: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for info, data in files:
        if info.filename.endswith("/"):
            continue
        if info.filename == record:
            rows.writerow([info.filename, "", ""])
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
        rows.writerow([info.filename, f"sha256={digest.decode()}", len(data)])
    return text.getvalue().encode()
