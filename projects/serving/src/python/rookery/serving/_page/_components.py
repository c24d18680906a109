"""The parts of the page that NiceGUI does not have: each is a small Vue component."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui.element import Element
from nicegui.events import GenericEventArguments

from rookery.serving._page._content import LOADING


class _Component(Element):
    """An element that is only told about what has changed."""

    def show(self, **props: object) -> None:
        """Sets what the component shows.

        Args:
            **props: Its properties, of types that JSON has.
        """
        changed = {k: v for k, v in props.items() if self._props.get(k) != v}
        if changed:
            self._props.update(changed)
            self.update()


class Kpi(_Component, component="kpi.js"):
    """One number with its unit, a note and its last minutes.

    Args:
        name: What tests and scripts find it by.
        label: What the number is.
        unit: Its unit.
    """

    def __init__(self, name: str, label: str, unit: str = "") -> None:
        super().__init__()
        self.show(name=name, label=label, unit=unit, value="–", note="", spark=[])


class RuleTable(_Component, component="rules.js"):
    """The rules with their counts.

    Args:
        on_choose: Called with the id of a rule that was clicked.
    """

    def __init__(self, on_choose: Callable[[str], Any]) -> None:
        super().__init__()
        self.show(rules=[], chosen="")
        self.on("choose", lambda event: on_choose(_text(event)))


class PostList(_Component, component="posts.js"):
    """The posts, which hold still while somebody reads.

    Args:
        on_choose: Called with the id of a rule that was clicked.
        on_more: Called when older posts are asked for.
    """

    def __init__(
        self, on_choose: Callable[[str], Any], on_more: Callable[[], Any]
    ) -> None:
        super().__init__()
        self.show(posts=[], epoch=0, more=False, note="", empty=LOADING)
        self.on("choose", lambda event: on_choose(_text(event)))
        self.on("more", lambda event: on_more())


def _text(event: GenericEventArguments) -> str:
    given = event.args
    if isinstance(given, Sequence) and not isinstance(given, str):
        given = given[0] if given else ""
    return str(given)
