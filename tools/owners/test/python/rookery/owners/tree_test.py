import pytest

from rookery.owners import OwnersSyntaxError, OwnersTree
from rookery.owners._globs import covers, expand_glob

ROOT = "root@x.org"


def owners(texts: dict[str, str], path: str) -> tuple[str, ...]:
    return OwnersTree.from_texts(texts).decide(path).owners


@pytest.mark.parametrize(
    ("nested", "path", "wanted"),
    [
        ("a@x.org", "d/f", ("a@x.org", ROOT)),
        ("a@x.org", "d/deep/f", ("a@x.org", ROOT)),
        ("a@x.org", "e/f", (ROOT,)),
        ("a@x.org # why\n\n# nothing", "d/f", ("a@x.org", ROOT)),
        ("set noparent\na@x.org", "d/f", ("a@x.org",)),
        ("a@x.org\nset  noparent", "d/f", ("a@x.org",)),
        ("set noparent", "d/f", ()),
        ("*", "d/f", ("*", ROOT)),
        ("per-file *.md=a@x.org", "d/f.md", ("a@x.org", ROOT)),
        ("per-file *.md=a@x.org", "d/deep/f.md", ("a@x.org", ROOT)),
        ("per-file *.md=a@x.org", "d/f.py", (ROOT,)),
        ("per-file *.md, B = a@x.org , b@x.org", "d/B", ("a@x.org", "b@x.org", ROOT)),
        ("per-file *.{md,txt}=a@x.org", "d/f.txt", ("a@x.org", ROOT)),
        ("per-file v[0-9]=a@x.org", "d/v7", ("a@x.org", ROOT)),
        ("per-file *=set noparent\na@x.org", "d/f", ()),
        ("per-file f=set noparent\nper-file f=b@x.org\na@x.org", "d/f", ("b@x.org",)),
        ("per-file f=set noparent\na@x.org", "d/g", ("a@x.org", ROOT)),
        ("per-file f=*", "d/f", ("*", ROOT)),
        ("file://TEAM", "d/f", (ROOT, "team@x.org")),
        ("file:../TEAM", "d/f", (ROOT, "team@x.org")),
        ("include /TEAM", "d/f.c", ("c@x.org", "team@x.org")),
        ("file:/TEAM", "d/f.c", (ROOT, "team@x.org")),
        ("per-file *.c=file://TEAM", "d/f.c", (ROOT, "team@x.org")),
        ("per-file *.c=file://TEAM", "d/f", (ROOT,)),
    ],
)
def test_owners_add_up_along_the_folders(
    nested: str, path: str, wanted: tuple[str, ...]
) -> None:
    team = "team@x.org\nset noparent\nper-file *.c=c@x.org\ninclude TEAM"
    texts = {"OWNERS": ROOT, "d/OWNERS": nested, "TEAM": team}
    assert owners(texts, path) == wanted


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("somebody", "'somebody' is no owner"),
        ("a@x.org, b@x.org", "is no owner"),
        ("set parent", "is no owner"),
        ("per-file *.py", "needs `=`"),
        ("per-file =a@x.org", "names no files"),
        ("per-file a,,b=a@x.org", "empty glob"),
        ("per-file a/*=a@x.org", "spans folders"),
        ("per-file {a=a@x.org", "brace without its partner"),
        ("per-file [a=a@x.org", "bracket without its partner"),
        ("per-file [!a]=a@x.org", "negated set"),
        ("per-file [z-a]=a@x.org", "is no range"),
        ("per-file [0-9][0-9][0-9]=a@x.org", "more than 128 globs"),
        ("per-file *.py=include /OWNERS", "cannot include"),
        ("file:other:/OWNERS", "in another repository"),
        ("file://nowhere", "there is no file nowhere"),
        ("file:../../OWNERS", "there is no file"),
    ],
)
def test_a_line_that_means_nothing_is_named_with_its_place(
    line: str, message: str
) -> None:
    with pytest.raises(OwnersSyntaxError, match=r"^d/OWNERS:2: ") as caught:
        owners({"d/OWNERS": f"# first\n{line}"}, "d/f")
    assert message in str(caught.value)


def test_files_that_import_each_other_add_up_once() -> None:
    texts = {"OWNERS": "include A", "A": "a@x.org\ninclude B", "B": "b@x.org\nfile:A"}
    assert owners(texts, "f") == ("a@x.org", "b@x.org")


def test_the_chain_names_each_line_that_decided_the_nearest_first() -> None:
    tree = OwnersTree.from_texts(
        {
            "OWNERS": ROOT,
            "d/OWNERS": "set noparent\nfile:/TEAM\nper-file *.py=p@x.org",
            "TEAM": "team@x.org",
        }
    )
    assert [(step.source, step.owners) for step in tree.decide("d/e/f.py").steps] == [
        ("d/OWNERS:3", ("p@x.org",)),
        ("TEAM:1 (through d/OWNERS:2)", ("team@x.org",)),
        ("d/OWNERS:1", ()),
    ]


@pytest.mark.parametrize(
    ("glob", "wanted"),
    [
        ("*.{c,h}", ("*.c", "*.h")),
        ("{a,b{c,d}}", ("a", "bc", "bd")),
        ("v[0-2]", ("v0", "v1", "v2")),
        ("**.md", ("*.md",)),
        ("{,x}a", ("a", "xa")),
        ("{a,a}", ("a",)),
    ],
)
def test_alternatives_are_multiplied_out(glob: str, wanted: tuple[str, ...]) -> None:
    assert expand_glob(glob) == wanted


@pytest.mark.parametrize(
    ("wide", "narrow", "wanted"),
    [
        ("*", "*.py", True),
        ("*.py", "*", False),
        ("*.py", "a*.py", True),
        ("a?", "ab", True),
        ("a*", "a?*", True),
        ("a?*", "a*", False),
        ("*a*", "*b*", False),
        ("?*", "*", False),
        ("??", "*", False),
        ("a*b", "ab", True),
    ],
)
def test_a_glob_covers_another_if_it_matches_all_that_the_other_matches(
    wide: str, narrow: str, wanted: bool
) -> None:
    assert covers(wide, narrow) is wanted
