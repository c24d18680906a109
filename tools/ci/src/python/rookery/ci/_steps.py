"""Which steps there are. This list is the pipeline, on Buildkite and on one machine."""

from __future__ import annotations

from rookery.ci._model import Kind, Step

# Below this share of lines and branches, in percent, the build is red.
COVERAGE_FLOOR = 90
# How many machines share the tests on Buildkite.
SHARDS = 2
# What the step "test-reports" says at the end; one machine ends with it.
TEST_SUMMARY = "dist/test/summary.txt"

# The base image that `dockerfiles/base/build` makes; `BASE_IMAGE` names another.
BASE_IMAGE = "rookery/base:bookworm"

# What ends up in a wheel, a PEX or an image.
_PACKAGED = frozenset({Kind.SOURCES, Kind.BUILD, Kind.DEPENDENCIES, Kind.PIPELINE})
# The tests of the images need the images built in the same build.
_IMAGES = _PACKAGED | {Kind.IMAGES, Kind.CONTAINER_TESTS}

_ON_TAGS = "build.tag != null"

_TESTS = "Tests"
_CHECKS = "Checks"
_CONSISTENCY = "Consistency"
_PACKAGES = "Packages"
_RELEASE = "Release"


def all_steps(shards: int, *, twice: bool = False) -> tuple[Step, ...]:
    """Returns every step, in the order in which one machine runs them.

    Args:
        shards: In how many jobs the tests run; one is a single `./pants test ::`.
        twice: Whether packages are built twice from empty caches and compared. Else one
            such build is compared with that of the step "packages", in half the time.

    Returns:
        The steps. Those that depend on others come after them.
    """
    steps = (*_tests(shards), *_checks(), *_packages(twice), *_reports(), *_release())
    return (*steps, _result(steps))


def _tests(shards: int) -> tuple[Step, ...]:
    whole = shards == 1
    # Both variables count from 0, as Pants does.
    shard = "--shard=$BUILDKITE_PARALLEL_JOB/$BUILDKITE_PARALLEL_JOB_COUNT "
    return (
        Step(
            key="tests",
            label="tests" if whole else "tests, shard %n of %N",
            group=_TESTS,
            commands=(f"./pants test {'' if whole else shard}::",),
            parallelism=None if whole else shards,
            timeout_minutes=60,
            artifacts=(
                "dist/test/reports/*.xml",
                # The hook pre-command gives each shard a folder of its own.
                "dist/coverage/shard-*/.coverage",
            ),
            # Images that happen to be in the engine are not those of this commit; the
            # tests that need them belong to the step "containers".
            env={"ROOKERY_IMAGE_TAG": "not-built-yet"},
        ),
    )


def _checks() -> tuple[Step, ...]:
    return (
        Step(
            key="lint",
            label="lint",
            group=_CHECKS,
            commands=("./pants lint ::",),
            timeout_minutes=30,
        ),
        Step(
            key="types",
            label="types",
            group=_CHECKS,
            commands=("./pants check ::",),
            timeout_minutes=30,
        ),
        Step(
            key="build-files",
            label="BUILD files",
            group=_CONSISTENCY,
            commands=("./pants tailor --check update-build-files --check ::",),
            timeout_minutes=15,
        ),
        Step(
            key="lockfiles",
            label="lockfiles",
            group=_CONSISTENCY,
            commands=("./pants run tools/ci -- locks",),
            timeout_minutes=15,
        ),
        Step(
            key="codeowners",
            label="CODEOWNERS",
            group=_CONSISTENCY,
            commands=("./pants run tools/owners -- check",),
            timeout_minutes=15,
        ),
    )


def _packages(twice: bool) -> tuple[Step, ...]:
    return (
        Step(
            key="packages",
            label="wheels and PEXes",
            group=_PACKAGES,
            commands=(
                "./pants --tag=-image,bench package ::",
                "./pants run tools/release -- check dist",
            ),
            timeout_minutes=60,
            artifacts=("dist/**/*.whl", "dist/**/*.pex"),
        ),
        Step(
            key="images",
            label="images",
            group=_PACKAGES,
            commands=(
                # Where no base image is to be pulled, one is made here.
                'if [ -z "$BASE_IMAGE" ]; then dockerfiles/base/build;'
                f" export BASE_IMAGE={BASE_IMAGE}; fi",
                "./pants --tag=image package dockerfiles::",
                "dockerfiles/sizes --check",
                "./pants run tools/ci -- images save dist/images",
            ),
            timeout_minutes=60,
            artifacts=("dist/images/*",),
            inputs=_IMAGES,
            engine=True,
        ),
        Step(
            key="containers",
            label="containers",
            group=_TESTS,
            commands=(
                'buildkite-agent artifact download "dist/images/*" .',
                "./pants run tools/ci -- images load dist/images",
                'export ROOKERY_IMAGES="$(cat dist/images/images.txt)"',
                # Their reports do not replace those of the step "tests", in which the
                # same tests were skipped.
                "./pants test --report-dir=dist/test/containers --no-use-coverage"
                " dockerfiles/test::",
            ),
            depends_on=("images",),
            timeout_minutes=60,
            artifacts=("dist/test/containers/*.xml",),
            inputs=_IMAGES,
            engine=True,
        ),
        _reproducible(twice),
    )


def _reproducible(twice: bool) -> Step:
    against = (
        'buildkite-agent artifact download "dist/**/*.whl" .',
        'buildkite-agent artifact download "dist/**/*.pex" .',
        "./pants run tools/ci -- reproducible --against dist",
    )
    return Step(
        key="reproducible",
        label="reproducible",
        group=_PACKAGES,
        commands=("./pants run tools/ci -- reproducible",) if twice else against,
        depends_on=() if twice else ("packages",),
        timeout_minutes=60,
        inputs=_PACKAGED,
    )


def _reports() -> tuple[Step, ...]:
    return (
        Step(
            key="coverage",
            label="coverage",
            group=_TESTS,
            commands=(
                'buildkite-agent artifact download "dist/coverage/shard-*/.coverage" .',
                "./pants run tools/ci -- coverage"
                f" --fail-under={COVERAGE_FLOOR} dist/coverage",
            ),
            depends_on=("tests",),
            timeout_minutes=15,
            artifacts=("dist/coverage/coverage.xml", "dist/coverage/html/**/*"),
        ),
        Step(
            key="test-reports",
            label="test reports",
            group=_TESTS,
            commands=(
                'buildkite-agent artifact download "dist/test/**/*.xml" .',
                "status=0",
                "./pants run tools/ci -- summary --allowed .ci/skips.txt"
                f" --output {TEST_SUMMARY} dist/test || status=$?",
                'if [ "$status" = 0 ]; then style=success; else style=error; fi',
                "buildkite-agent annotate --context test-reports --style $style"
                f" < {TEST_SUMMARY}",
                'exit "$status"',
            ),
            depends_on=("tests", "containers"),
            # Red shards have reports too, and the sum says which tests failed.
            allow_dependency_failure=True,
            timeout_minutes=15,
            artifacts=(TEST_SUMMARY,),
        ),
    )


def _release() -> tuple[Step, ...]:
    return (
        Step(
            key="release-plan",
            label="release plan",
            group=_RELEASE,
            commands=(
                "mkdir -p dist",
                "./pants run tools/release -- plan > dist/release-plan.txt",
                "cat dist/release-plan.txt",
                "{ echo '```'; cat dist/release-plan.txt; echo '```'; } |"
                " buildkite-agent annotate --style info --context release-plan",
            ),
            timeout_minutes=15,
            artifacts=("dist/release-plan.txt",),
        ),
        Step(
            key="publish",
            label="publish",
            group=_RELEASE,
            commands=("./pants run tools/release -- publish",),
            # All that can be red; nothing is published then.
            depends_on=(
                "tests",
                "lint",
                "types",
                "build-files",
                "lockfiles",
                "codeowners",
                "packages",
                "images",
                "containers",
                "reproducible",
                "coverage",
                "test-reports",
                "release-plan",
            ),
            timeout_minutes=60,
            condition=_ON_TAGS,
            concurrency_group="rookery/publish",
        ),
    )


def _result(steps: tuple[Step, ...]) -> Step:
    keys = tuple(step.key for step in steps)
    return Step(
        key="result",
        label="result",
        group="Result",
        commands=(
            "status=0",
            f"./pants run tools/ci -- result --output dist/result.md {' '.join(keys)}"
            " || status=$?",
            'if [ "$status" = 0 ]; then style=success; else style=error; fi',
            "buildkite-agent annotate --context result --style $style < dist/result.md",
            'exit "$status"',
        ),
        depends_on=keys,
        allow_dependency_failure=True,
        timeout_minutes=15,
    )
