import base64
import csv
import hashlib
import io
import zipfile

import pytest

from rookery.versions import Version, VersionSyntaxError, set_wheel_version

NAME = "rookery_text_native-0+source-cp311-cp311-linux_x86_64.whl"
OLD = "rookery_text_native-0+source"
NEW = "rookery_text_native-1.4.2"
METADATA = (
    "Metadata-Version: 2.4\nName: rookery-text-native\nVersion: 0+source\n"
    "Requires-Python: >=3.11\n\nVersion: this is text.\n"
)


def wheel(files: dict[str, str]) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, (2026, 11, 21, 15, 0, 0))
            info.external_attr = 0o100755 << 16
            archive.writestr(info, text, compress_type=zipfile.ZIP_DEFLATED)
    return output.getvalue()


def example() -> bytes:
    return wheel(
        {
            "rookery/text_native/kernel.so": "\x7fELF 0+source",
            f"{OLD}.data/scripts/run": "#!python\n",
            f"{OLD}.dist-info/METADATA": METADATA,
            f"{OLD}.dist-info/WHEEL": "Wheel-Version: 1.0\n",
            f"{OLD}.dist-info/RECORD": f"{OLD}.dist-info/RECORD,,\n",
        }
    )


def read(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_name_folders_and_metadata_get_the_version() -> None:
    name, content = set_wheel_version(NAME, example(), Version.parse("1.4.2"))
    assert name == "rookery_text_native-1.4.2-cp311-cp311-linux_x86_64.whl"
    files = read(content)
    assert list(files) == [
        "rookery/text_native/kernel.so",
        f"{NEW}.data/scripts/run",
        f"{NEW}.dist-info/METADATA",
        f"{NEW}.dist-info/WHEEL",
        f"{NEW}.dist-info/RECORD",
    ]
    metadata = files[f"{NEW}.dist-info/METADATA"].decode()
    assert metadata == METADATA.replace("0+source", "1.4.2")
    assert files["rookery/text_native/kernel.so"] == b"\x7fELF 0+source"


def test_the_record_names_every_file_with_its_hash_and_size() -> None:
    _, content = set_wheel_version(NAME, example(), Version.parse("1.4.2"))
    files = read(content)
    record = f"{NEW}.dist-info/RECORD"
    rows = list(csv.reader(io.StringIO(files[record].decode())))
    assert [row[0] for row in rows] == list(files)
    for name, digest, size in rows:
        if name == record:
            assert (digest, size) == ("", "")
            continue
        expected = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest())
        assert digest == "sha256=" + expected.decode().rstrip("=")
        assert int(size) == len(files[name])


def test_the_same_wheel_and_version_give_the_same_bytes() -> None:
    version = Version.parse("1.4.3.dev2+dirty")
    first = set_wheel_version(NAME, example(), version)
    assert first == set_wheel_version(NAME, example(), version)
    # Modes and times stay what they were.
    with zipfile.ZipFile(io.BytesIO(first[1])) as archive:
        infos = archive.infolist()
    assert {info.date_time for info in infos} == {(2026, 11, 21, 15, 0, 0)}
    assert {info.external_attr for info in infos} == {0o100755 << 16}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("kernel.whl", example(), id="a name that is none"),
        pytest.param(NAME, b"no zip", id="a file that is none"),
        pytest.param(NAME, wheel({"a": "b"}), id="no metadata"),
        pytest.param(
            NAME.replace("0+source", "3.0"), example(), id="metadata of another version"
        ),
    ],
)
def test_what_is_no_wheel_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(VersionSyntaxError) as caught:
        set_wheel_version(name, content, Version.parse("1.0"))
    assert str(caught.value).startswith(f"{name}: ")
