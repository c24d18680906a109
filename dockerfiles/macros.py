# What the images have in common.


def image_layers(entry_point, dependencies=(), without=(), resolve="core"):
    """The two PEXes of an image, a layer each: third parties, and the code on top."""
    for name, half in (
        ("deps", dict(include_sources=False)),
        ("srcs", dict(include_requirements=False)),
    ):
        pex_binary(
            name=name,
            entry_point=entry_point,
            dependencies=[
                *_without_stubs(resolve),
                *[
                    f"!!3rdparty/core:core#{project}@resolve={resolve}"
                    for project in without
                ],
                *dependencies,
            ],
            resolve=resolve,
            include_tools=True,
            layout="packed",
            tags=["image"],
            **half,
        )


def image(name, dependencies=(":deps", ":srcs"), prune=True, **options):
    """The image `rookery/<name>`, from the Dockerfile of this folder."""
    shared = ("layer.py", "probe.py", "prune.txt") if prune else ("layer.py", "probe.py")
    docker_image(
        name=name,
        repository=f"rookery/{name}",
        image_tags=[env("ROOKERY_IMAGE_TAG", "dev")],
        dependencies=[*[f"dockerfiles/base/{file}:context" for file in shared], *dependencies],
        tags=["image"],
        **options,
    )
