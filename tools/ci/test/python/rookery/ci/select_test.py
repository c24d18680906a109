import pytest

from rookery.ci import (
    Change,
    Kind,
    Situation,
    Unavailable,
    UsageError,
    all_steps,
    decide,
    kind_of,
)

ALWAYS = {
    "tests",
    "lint",
    "types",
    "build-files",
    "lockfiles",
    "codeowners",
    "packages",
    "coverage",
    "test-reports",
    "release-plan",
    "result",
}
IMAGES = {"images", "containers"}
PACKAGED = {"reproducible"}
ORIGIN = "since 0123456789ab (origin/main)"


def situation(
    *files: str,
    engine: str | None = None,
    tag: str | None = None,
    only: tuple[str, ...] = (),
    change: Change | None = None,
) -> Situation:
    if change is None:
        change = Change(tuple(sorted(files)), ORIGIN)
    return Situation(change, engine, {"build.tag": tag}, only)


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("lib/text/src/python/rookery/text/__init__.py", IMAGES | PACKAGED),
        ("lib/text/BUILD", IMAGES | PACKAGED),
        ("lib/text/src/python/rookery/text_native/edit.pyx", IMAGES | PACKAGED),
        ("projects/serving/src/python/rookery/serving/_page.py", IMAGES | PACKAGED),
        ("3rdparty/core/core.lock", IMAGES | PACKAGED),
        ("3rdparty/pants/install.sh", IMAGES | PACKAGED),
        ("pants.toml", IMAGES | PACKAGED),
        ("pants-plugins/rookery_versions/rules.py", IMAGES | PACKAGED),
        ("tools/release/src/python/rookery/versions/_git.py", IMAGES | PACKAGED),
        ("tools/ci/src/python/rookery/ci/_steps.py", IMAGES | PACKAGED),
        (".buildkite/hooks/pre-command", IMAGES | PACKAGED),
        ("dockerfiles/serving/Dockerfile", IMAGES),
        ("dockerfiles/budgets.toml", IMAGES),
        ("dockerfiles/compose.yaml", IMAGES),
        ("dockerfiles/test/python/rookery/compose_test.py", IMAGES),
        ("dockerfiles/README.md", set()),
        ("lib/text/test/python/rookery/text/find_test.py", set()),
        ("lib/text/bench/python/rookery/text/find_bench.py", set()),
        ("lib/text/README.md", set()),
        ("lib/text/OWNERS", set()),
        ("docs/operating.md", set()),
        ("tools/mypy.ini", set()),
        ("tools/owners/src/python/rookery/owners/_tree.py", set()),
        ("3rdparty/tools/mypy/mypy.lock", set()),
        (".github/CODEOWNERS", set()),
        ("a/kind/nobody/thought.of", IMAGES | PACKAGED),
    ],
)
def test_a_change_runs_the_steps_that_it_is_an_input_of(
    path: str, more: set[str]
) -> None:
    chosen = {
        choice.step.key
        for choice in decide(all_steps(1), situation(path))
        if choice.runs
    }
    assert chosen == ALWAYS | more


def reason(key: str, about: Situation) -> str:
    (found,) = (
        choice.reason
        for choice in decide(all_steps(1), about)
        if choice.step.key == key
    )
    return found


@pytest.mark.parametrize(
    ("key", "about", "why"),
    [
        ("tests", situation("docs/a.md"), "in every build"),
        (
            "images",
            situation("docs/a.md", "pants.toml"),
            f"changed {ORIGIN}: pants.toml",
        ),
        (
            "images",
            situation(*(f"lib/{name}/BUILD" for name in "abcde")),
            f"changed {ORIGIN}: lib/a/BUILD, lib/b/BUILD, lib/c/BUILD and 2 more",
        ),
        (
            "images",
            situation("docs/a.md", "docs/b.md", "lib/a/OWNERS"),
            f"no input changed {ORIGIN} (documentation 2, owners 1)",
        ),
        ("images", situation(), f"nothing changed {ORIGIN}"),
        (
            "reproducible",
            situation("surprise.xyz"),
            "of a kind that is not known: surprise.xyz",
        ),
        (
            "containers",
            situation(change=Change(None, "asked for by --all")),
            "asked for by --all",
        ),
        (
            "containers",
            situation("pants.toml", engine="no container engine answers"),
            "no container engine answers",
        ),
        ("publish", situation("pants.toml"), "only where build.tag != null"),
        (
            "publish",
            situation("pants.toml", tag="rookery-text/v1.0.0"),
            "in every build",
        ),
        ("lint", situation(only=("tests",)), "not named by --only"),
        ("lint", situation(only=("lint",)), "named by --only"),
    ],
)
def test_each_step_says_why(key: str, about: Situation, why: str) -> None:
    assert reason(key, about) == why


def test_without_an_engine_everything_else_runs() -> None:
    about = situation("pants.toml", engine="no container engine")
    chosen = {choice.step.key for choice in decide(all_steps(1), about) if choice.runs}
    assert chosen == ALWAYS | PACKAGED


def test_a_step_depends_only_on_steps_that_are_there() -> None:
    about = situation("docs/a.md")
    listed = [choice.step for choice in decide(all_steps(1), about) if choice.listed]
    keys = {step.key for step in listed}
    assert "images" not in keys
    for step in listed:
        assert set(step.depends_on) <= keys, step.key


def test_what_buildkite_decides_by_its_condition_stays_listed() -> None:
    by_key = {choice.step.key: choice for choice in decide(all_steps(1), situation())}
    assert not by_key["publish"].runs
    assert by_key["publish"].listed
    assert not by_key["images"].listed
    only = decide(all_steps(1), situation(only=("lint",)))
    assert [choice.step.key for choice in only if choice.listed] == ["lint"]


def test_an_unknown_step_is_a_usage_error_that_names_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"no step 'lnt'; there are: tests, .*lint"):
        decide(all_steps(1), situation(only=("lnt",)))


def test_a_step_that_was_named_and_cannot_run_is_an_error() -> None:
    about = situation(engine="no container engine", only=("images",))
    with pytest.raises(Unavailable, match="step images: no container engine"):
        decide(all_steps(1), about)


def test_every_step_comes_after_those_it_depends_on() -> None:
    seen: set[str] = set()
    for step in all_steps(3):
        assert set(step.depends_on) <= seen, step.key
        seen.add(step.key)


def test_the_last_step_waits_for_all_others_and_publishing_for_all_that_can_be_red() -> (
    None
):
    *others, last = all_steps(1)
    assert set(last.depends_on) == {step.key for step in others}
    assert last.allow_dependency_failure
    (publish,) = (step for step in others if step.key == "publish")
    assert set(publish.depends_on) == {step.key for step in others} - {"publish"}
    assert not publish.allow_dependency_failure


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("OWNERS", Kind.OWNERS),
        ("lib/a/src/python/rookery/a/README.md", Kind.SOURCES),
        ("README.md", Kind.DOCUMENTATION),
        ("lib/a/b", Kind.UNKNOWN),
        (".ci/bare", Kind.TOOLS),
        (".ci/run", Kind.PIPELINE),
        ("Makefile", Kind.UNKNOWN),
    ],
)
def test_the_first_pattern_that_matches_says_what_a_file_is(
    path: str, kind: Kind
) -> None:
    assert kind_of(path) is kind
