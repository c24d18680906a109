"""Words, phrases and entities of text, natively on Arrow string arrays.

Arrays in, columns out: no text becomes a Python string on the way.
"""

from rookery.text._entities import Entities, EntityKind, Places, entities
from rookery.text._errors import ColumnError, PhraseError, TextError
from rookery.text._expressions import (
    FALSE,
    TRUE,
    Candidates,
    Expressions,
    Layout,
    Truths,
)
from rookery.text._phrases import Hits, PhraseTable
from rookery.text._terms import Term, TermKind
from rookery.text._threads import over_slices
from rookery.text._tokens import UNICODE_VERSION, Tokens, fold, tokens

__all__ = [
    "FALSE",
    "TRUE",
    "UNICODE_VERSION",
    "Candidates",
    "ColumnError",
    "Entities",
    "EntityKind",
    "Expressions",
    "Hits",
    "Layout",
    "PhraseError",
    "PhraseTable",
    "Places",
    "Term",
    "TermKind",
    "TextError",
    "Truths",
    "Tokens",
    "entities",
    "fold",
    "over_slices",
    "tokens",
]
