import pytest

from rookery.release import read_files, read_links

NAME = "rookery_text-1.4.2-py3-none-any.whl"
DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("page", "links"),
    [
        ("", []),
        ("<p>Nothing</p><a>no link</a>", []),
        (f'<a href="/packages/{NAME}#sha256={DIGEST}">x</a>', [("/packages/", DIGEST)]),
        (f'<a href="../../p/{NAME}#md5=12">x</a>', [("../../p/", "")]),
        (
            f"<a data-yanked='' HREF='https://files.example/{NAME}?a=1&amp;b=2'>x</a>",
            [("https://files.example/", "")],
        ),
    ],
)
def test_links_are_read_as_pages_have_them(
    page: str, links: list[tuple[str, str]]
) -> None:
    found = read_links(page)
    assert [(name, digest) for name, _, digest in found] == [
        (NAME, digest) for _, digest in links
    ]
    for (_, address, _), (begin, _) in zip(found, links, strict=True):
        assert address.startswith(f"{begin}{NAME}")
        assert "#" not in address


def test_an_encoded_name_is_read_as_the_file_is_called() -> None:
    (link,) = read_links('<a href="a-1.0%2Bdirty-py3-none-any.whl">x</a>')
    assert link[0] == "a-1.0+dirty-py3-none-any.whl"


def test_files_are_read_from_json() -> None:
    text = (
        '{"files": [{"filename": "a.whl", "url": "/a.whl", "hashes": {"sha256": "12"}},'
        ' {"filename": "b.whl", "url": "/b.whl", "hashes": {}}]}'
    )
    assert read_files(text) == [("a.whl", "/a.whl", "12"), ("b.whl", "/b.whl", "")]
