"""Continuous integration: which steps a change needs, why, and how they run.

`all_steps` is the pipeline, `decide` chooses from it, `pipeline_yaml` writes what
Buildkite reads, and `Runner` runs that on one machine. `check_lock`, `read_reports`,
`merge_coverage`, `save_images` and `compare` are what single steps do.
"""

from rookery.ci._changes import Change, kind_of
from rookery.ci._conditions import holds
from rookery.ci._coverage import merge_coverage
from rookery.ci._emit import document, pipeline_yaml
from rookery.ci._environment import condition_variables, inherited
from rookery.ci._errors import CiError, ConfigurationError, Unavailable, UsageError
from rookery.ci._git import find_change
from rookery.ci._images import load_images, save_images
from rookery.ci._interpolate import interpolate
from rookery.ci._locks import (
    check_lock,
    locked_requirements,
    read_requirements,
    requirement_files,
)
from rookery.ci._machine import why_no_images
from rookery.ci._model import Kind, Step
from rookery.ci._plan import PlannedStep, read_plan
from rookery.ci._reports import Summary, read_allowed, read_reports
from rookery.ci._reproducible import Comparison, build_from_nothing, compare
from rookery.ci._run import Outcome, Result, Runner, prepare_store, restore
from rookery.ci._select import Decision, Situation, decide
from rookery.ci._steps import SHARDS, TEST_SUMMARY, all_steps

__all__ = [
    "SHARDS",
    "TEST_SUMMARY",
    "Change",
    "CiError",
    "Comparison",
    "ConfigurationError",
    "Decision",
    "Kind",
    "Outcome",
    "PlannedStep",
    "Result",
    "Runner",
    "Situation",
    "Step",
    "Summary",
    "Unavailable",
    "UsageError",
    "all_steps",
    "build_from_nothing",
    "check_lock",
    "compare",
    "condition_variables",
    "decide",
    "document",
    "find_change",
    "holds",
    "inherited",
    "interpolate",
    "kind_of",
    "load_images",
    "locked_requirements",
    "merge_coverage",
    "pipeline_yaml",
    "prepare_store",
    "read_allowed",
    "read_plan",
    "read_reports",
    "read_requirements",
    "requirement_files",
    "restore",
    "save_images",
    "why_no_images",
]
