# What BUILD files have in common; every name here can be used in all of them.


def _without_stubs(resolve):
    # Types are for the type checker: nothing that is shipped needs them.
    stubs = ("pyarrow-stubs", "types-psutil", "types-PyYAML")
    return [f"!!3rdparty/core:core#{name}@resolve={resolve}" for name in stubs]


def library(name, description):
    """The wheel of the library in `lib/<name>`, called `rookery-<name>`."""
    python_distribution(
        name="dist",
        dependencies=[
            f"lib/{name}/src/python/rookery/{name}@resolve=core",
            *_without_stubs("core"),
        ],
        provides=python_artifact(
            name=f"rookery-{name}",
            description=description,
            python_requires="==3.11.*",
        ),
        sdist=False,
    )


def component(name, entry_point, resolve="core"):
    """The PEX of a component: `<name>.pex`, one file that runs it and knows its build."""
    build_stamp(name=f"{name}-stamp", package=f"rookery-{name}")
    pex_binary(
        name=name,
        entry_point=entry_point,
        dependencies=[f":{name}-stamp", *_without_stubs(resolve)],
        resolve=resolve,
        execution_mode="venv",
    )
