import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from rookery.owners._globs import covers, glob_pattern

GLOBS = st.text("ab*?", min_size=1, max_size=5)
NAMES = ["".join(n) for k in range(6) for n in itertools.product("abc", repeat=k)]


@given(GLOBS, GLOBS)
def test_what_a_covered_glob_matches_the_covering_one_matches_too(
    wide: str, narrow: str
) -> None:
    if not covers(wide, narrow):
        return
    for name in NAMES:
        if re.fullmatch(glob_pattern(narrow), name):
            assert re.fullmatch(glob_pattern(wide), name), name
