"""Which rules the platform starts with."""

from pathlib import Path

import rookery.matching.store as store
from rookery.bus import Bus
from rookery.matching import RuleSet
from rookery.standalone._options import Options
from rookery.streaming import sample_rules


def load_rules(path: Path) -> RuleSet:
    """Reads a file of rules, before anything is started.

    Args:
        path: The file.

    Returns:
        The rules. What is wrong with them is raised with its line and column.
    """
    return RuleSet.load(path)


async def provide_rules(bus: Bus, options: Options, given: RuleSet | None) -> str:
    """Puts rules in place for the match workers.

    Rules that were given replace those that are there. Samples are only put where
    there are none, so that a look at the sample stream never costs anybody's rules.

    Args:
        bus: The bus.
        options: What was asked for.
        given: The rules of the command line, if there are any.

    Returns:
        What to tell about it.
    """
    if given is not None:
        signature = store.Signature("standalone", f"--rules {options.rules}"[:500])
        version = await store.publish(bus, given, signature=signature)
        return f"rules: {len(given.rules):,} from {options.rules} (version {version})"
    current = await store.current(bus)
    if current is not None:
        return (
            f"rules: {len(current.rules):,} from before (version {current.version}); "
            "--rules FILE replaces them"
        )
    if options.is_synthetic:
        samples = RuleSet.parse(sample_rules().splitlines(), where="<sample rules>")
        signature = store.Signature("standalone", "samples for the sample stream")
        await store.publish(bus, samples, signature=signature)
        return f"rules: {len(samples.rules):,} samples; give your own with --rules FILE"
    return (
        "rules: none yet, so posts are archived but wait to be matched; "
        "give some with --rules FILE"
    )
