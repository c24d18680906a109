from __future__ import annotations

import random
import re
from functools import partial
from pathlib import Path

import pytest

from rookery.matching import RuleSet
from rookery.matching_bench._arguments import parse
from rookery.matching_bench._data import Posts, load_posts, load_terms, plain, scale
from rookery.matching_bench._found import Found, Unequal, compare, joined
from rookery.matching_bench._normal import WORD, Normal, literal, normal, place
from rookery.matching_bench._report import (
    BEGIN,
    END,
    Result,
    Run,
    as_markdown,
    as_text,
    from_jsonl,
    replace_between,
    to_jsonl,
)
from rookery.matching_bench._rules import AnyOf, BenchRule, Post, Tag, Words, Writer
from rookery.matching_bench._sides import BASELINES, SIDES, Workload, reference
from rookery.text import fold

TEXTS = [
    "Boulder, #FIRE! in boulder… fire",
    "",
    "🔥🔥 fire🔥boulder",
    "“Straße” —  ÉCOLE\u00a0boulder",
    "no",
    "東京 fire",
]
DICE = partial(random.Random, 1)
WORDS = ["boulder", "fire", "boulder fire", "fire boulder", "straße", "école", "東京"]


def hits(*places: tuple[int, int, int, int]) -> Found:
    return Found.of(places, 4)


def pairs(*found: tuple[int, int]) -> Found:
    return Found.of(found, 2)


def literals_in(normal_texts: Normal) -> list[tuple[int, int, int]]:
    return [
        (number, match.start(), match.start() + len(literal(phrase)))
        for number, phrase in enumerate(WORDS)
        for match in re.finditer(
            rb"(?=" + re.escape(literal(phrase)) + rb")", normal_texts.data
        )
    ]


def with_re(texts: list[str]) -> set[tuple[int, ...]]:
    return {
        (row, number, *match.span())
        for row, text in enumerate(map(fold, texts))
        for number, phrase in enumerate(WORDS)
        for match in re.finditer(
            rf"(?<!\w){'[^a-zßé東京]+'.join(phrase.split())}(?!\w)", text
        )
    }


class TestCompare:
    def test_equal_results_are_a_whole(self) -> None:
        assert compare(hits((0, 1, 2, 3)), hits((0, 1, 2, 3))) == 1.0

    def test_order_makes_no_difference(self) -> None:
        first, second = (0, 1, 2, 3), (1, 0, 0, 4)
        assert compare(hits(first, second), hits(second, first)) == 1.0

    @pytest.mark.parametrize(
        ("found", "said"),
        [
            (pairs(), "1 are missing and 0 more"),
            (pairs((0, 1), (0, 2)), "0 are missing and 1 more"),
            (pairs((1, 1)), "1 are missing and 1 more"),
            (hits((0, 1, 2, 4)), "1 are missing and 1 more"),
        ],
    )
    def test_unequal_results_are_refused(self, found: Found, said: str) -> None:
        with pytest.raises(Unequal, match=said):
            compare(hits((0, 1, 2, 3)), found)

    def test_a_side_without_places_is_compared_by_pairs(self) -> None:
        assert compare(hits((0, 1, 2, 3), (0, 1, 5, 6)), pairs((0, 1))) == 1.0

    def test_a_partial_side_may_find_less(self) -> None:
        expected = pairs((0, 1), (1, 1), (2, 1), (3, 1))
        assert compare(expected, pairs((0, 1)), partial=True) == 0.25

    def test_a_partial_side_may_find_nothing_else(self) -> None:
        with pytest.raises(Unequal):
            compare(pairs((0, 1)), pairs((0, 2)), partial=True)

    def test_parts_are_joined_by_their_first_posts(self) -> None:
        found = joined([(0, hits((1, 0, 2, 3))), (10, hits((1, 0, 2, 3)))])
        assert found.places() == {(1, 0, 2, 3), (11, 0, 2, 3)}
        assert found.first(5).places() == {(1, 0, 2, 3)}


class TestNormal:
    @pytest.mark.parametrize("texts", [TEXTS, TEXTS[:1], ["ascii, only!", "a  fire"]])
    def test_literals_stand_where_patterns_match(self, texts: list[str]) -> None:
        normal_texts = Normal(texts)
        assert normal_texts.found(literals_in(normal_texts)).places() == with_re(texts)

    def test_one_text_has_the_words_of_the_text(self) -> None:
        for text in map(fold, TEXTS):
            assert normal(text).split() == WORD.findall(text)

    def test_a_place_leads_back_into_the_text(self) -> None:
        text = "🔥 boulder, #fire!"
        start = normal(text).index(" boulder fire ")
        begin, end = place(text, normal(text), start, 2)
        assert text[begin:end] == "boulder, #fire"

    def test_phrases_do_not_cross_from_one_text_into_the_next(self) -> None:
        assert b" boulder fire " not in Normal(["boulder", "fire"]).data


class TestTerms:
    @pytest.mark.parametrize(
        ("written", "read"),
        [
            ("#BoulderFire", "boulderfire"),
            ("  Colorado   Springs ", "colorado springs"),
            ("AT&T Inc.", "at t inc"),
            ("one two three four five", ""),
            ("!?", ""),
            ("ab", ""),
        ],
    )
    def test_a_term_is_its_words(self, written: str, read: str) -> None:
        assert plain(written) == read

    def test_scaled_terms_are_different_and_short(self) -> None:
        terms = ["boulder fire", "flood", "a b c d", "red cross"]
        scaled = scale(terms, 60, DICE())
        assert scaled[:4] == terms
        assert len(set(scaled)) == 60
        assert all(1 <= len(term.split()) <= 4 for term in scaled)

    def test_scaled_terms_have_words_of_terms_alone(self) -> None:
        terms = ["boulder fire", "flood", "red cross"]
        words = {word for term in scale(terms, 20, DICE()) for word in term.split()}
        assert words == {"boulder", "fire", "flood", "red", "cross"}

    def test_where_words_run_out_terms_are_numbered(self) -> None:
        assert len(scale(["flood", "red"], 50, DICE())) == 50

    def test_fewer_terms_than_there_are_is_the_first_of_them(self) -> None:
        assert scale(["a", "b", "c"], 2, DICE()) == ["a", "b"]

    def test_without_data_posts_and_terms_are_made_up_in_the_same_way_each_time(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("ROOKERY_DATA", str(tmp_path))
        posts = load_posts(50)
        assert not posts.real
        assert len(set(posts.texts)) == 50 == len(posts.languages)
        assert posts == load_posts(50)
        assert not load_terms(posts).real

    def test_real_files_are_read(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        tweets = tmp_path / "social/tweeteval/irony"
        tweets.mkdir(parents=True)
        (tweets / "train_text.txt").write_text("a  fire \n\nfloods\n", "utf-8")
        labelled = tmp_path / "social/crisislex/CrisisLexT6/2013"
        labelled.mkdir(parents=True)
        (labelled / "x.csv").write_text(
            "tweet id, tweet, label\n'1',\"big, fire\",on\n"
        )
        lists = tmp_path / "keywords/corpora"
        (lists / "words").mkdir(parents=True)
        (lists / "words/common.json").write_text('{"words": ["common"]}')
        (lists / "cars.json").write_text('{"cars": ["Aston Martin", {"x": "Saab"}]}')
        monkeypatch.setenv("ROOKERY_DATA", str(tmp_path))
        posts = load_posts(10)
        assert posts.real
        assert sorted(posts.texts) == ["a fire", "big, fire", "floods"]
        assert sorted(load_terms(posts).terms) == ["aston martin", "saab"]


class TestRules:
    def test_rules_can_be_read_and_are_those_that_were_asked_for(self) -> None:
        posts = Posts(
            ["a big fire near town #help @fema", "the big town and a fire #help @fema"],
            ["en", "en"],
            True,
        )
        terms = scale(["boulder fire", "flood", "or", "4mile"], 40, DICE())
        rules = Writer(terms, posts, DICE()).write(40)
        read = RuleSet.parse(f"{n} = {rule.text}" for n, rule in enumerate(rules))
        assert len(read) == 40

    @pytest.mark.parametrize(
        ("text", "matches"),
        [
            ("Boulder: #Fire now", True),
            ("boulder fire, no drill", False),
            ("boulder ＃fire", True),
            ("a fire, boulder", False),
        ],
    )
    def test_a_test_says_what_the_rule_says(self, text: str, matches: bool) -> None:
        folded = fold(text)
        post = Post(normal(folded), folded, "en", "user1")
        drill = AnyOf((Words("now"), Tag("#", "fire")))
        rule = BenchRule((Words("boulder fire"), drill), ("boulder fire",))
        assert rule.text == '"boulder fire" (now OR #fire)'
        assert rule.test()(post) is matches


def measured(
    side: str, name: str, speed: float, *, threads: int = 1, share: float = 1.0
) -> Result:
    return Result(
        "phrases",
        100,
        side,
        name,
        threads,
        pairs=3,
        build_seconds=0.5,
        checked=10,
        share=share,
        rounds=[speed],
        posts=9,
        posts_per_second=speed,
        megabytes_per_second=speed / 1e4,
        peak_megabytes=4.2,
    )


RESULTS = (
    measured("find", "PhraseTable.find", 2e6),
    measured("flashtext", "FlashText", 5e4, share=0.93),
    measured("pyahocorasick", "pyahocorasick + re", 2e4),
    Result(
        "phrases", 100, "re2", "google-re2 Set", 1, reason="building took more than 2 s"
    ),
    measured("find-all", "PhraseTable.find", 4e6, threads=2),
)
RUN = Run(("a machine", "some versions"), RESULTS)


class TestReport:
    def test_the_table_compares_with_the_baselines_that_were_measured(self) -> None:
        assert as_text(RUN, BASELINES) == (
            "a machine\n"
            "some versions\n"
            "\n"
            "100 phrases, 3 pairs of post and rule\n"
            "                               posts/s  MB/s  x pyahocorasick + re"
            "  build s  peak MB\n"
            "PhraseTable.find             2,000,000   200                   100"
            "      0.5      4.2\n"
            "FlashText*                      50,000     5                   2.5"
            "      0.5      4.2\n"
            "pyahocorasick + re              20,000     2                     1"
            "      0.5      4.2\n"
            "google-re2 Set                       -     -                     -"
            "        -        -\n"
            "PhraseTable.find, 2 threads  4,000,000   400                   200"
            "      0.5      4.2\n"
            "- google-re2 Set: building took more than 2 s\n"
            "* FlashText finds 93.0% of the pairs\n"
        )

    def test_markdown_has_the_same_numbers(self) -> None:
        written = as_markdown(RUN, BASELINES)
        assert "### 100 phrases, 3 pairs of post and rule" in written
        assert "| PhraseTable.find | 2,000,000 | 200 | 100 | 0.5 | 4.2 |" in written

    def test_of_several_forms_of_a_baseline_the_fastest_counts(self) -> None:
        slow, fast = "hyperscan-batch", "hyperscan-expressions"
        run = Run(
            (),
            (
                Result("phrases", 9, "find", "find", 1, posts_per_second=800.0),
                Result("phrases", 9, slow, "slow", 1, posts_per_second=100.0),
                Result("phrases", 9, fast, "fast", 1, posts_per_second=200.0),
            ),
        )
        assert "| find | 800 | - | 4 | - | - |" in as_markdown(run, BASELINES)

    def test_results_are_read_as_they_were_written(self) -> None:
        assert from_jsonl(to_jsonl(RUN)) == RUN

    @pytest.mark.parametrize("text", ["[]\n", '{"side": "find"}\n', "no JSON\n"])
    def test_other_files_are_refused(self, text: str) -> None:
        with pytest.raises(ValueError):
            from_jsonl(text)

    def test_a_page_is_written_between_its_markers_alone(self) -> None:
        page = f"# Before\n{BEGIN}\nold\n{END}\nafter\n"
        once = replace_between(page, "new\n")
        assert once == f"# Before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
        assert replace_between(once, "new\n") == once

    def test_a_page_without_markers_is_refused(self) -> None:
        with pytest.raises(ValueError, match="there are no lines"):
            replace_between("# Before\n", "new")


class TestSides:
    def test_the_baselines_are_sides_of_their_workload(self) -> None:
        for workload in Workload:
            keys = {side.key for side in SIDES if side.workload is workload}
            for baseline in BASELINES[workload].values():
                assert keys.issuperset(baseline)
            assert reference(workload).module == "_engine"


class TestArguments:
    def test_a_quick_run_keeps_what_was_said(self) -> None:
        options = parse(["--quick", "--posts", "7"])
        assert (options.rules, options.posts, options.rounds) == ((100, 1_000), 7, 2)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--sides", "nobody"], "no side 'nobody'"),
            (["--rules", "10,x"], "'x' is no number from 1"),
            (["--workloads", "poems"], "there are phrases, rules"),
            (["--seconds", "-1"], "no number of seconds"),
            (["--json", "/nowhere/at/all.jsonl"], "there is no folder /nowhere/at"),
            (["--what"], "unrecognized arguments"),
        ],
    )
    def test_a_wrong_call_is_one_line(
        self, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as stop:
            parse(words)
        written = capsys.readouterr().err
        assert stop.value.code == 64
        assert said in written
        assert written.count("\n") == 1
