"""How names are compared: one folding for stored text and queries, and a phonetic key for Greek typed in Latin letters.

Nothing here knows what a municipality is; the keys are for finding, never for storing or for joining data.
"""

import re
import unicodedata

_LETTERS = {
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "τ": "t", "υ": "i", "φ": "f", "χ": "x",
    "ψ": "ps", "ω": "o",
}  # fmt: skip

# Longest first: a digraph is one sound, and both alphabets end at the same one.
_GREEK_PAIRS = (("ου", "U"), ("αι", "e"), ("ει", "i"), ("οι", "i"), ("υι", "i"), ("αυ", "av"), ("ευ", "ev"))
_LATIN_PAIRS = (
    ("ou", "U"), ("ai", "e"), ("ae", "e"), ("ei", "i"), ("oi", "i"), ("th", "8"), ("ch", "x"), ("kh", "x"), ("ks", "x"),
    ("ph", "f"), ("gh", "g"), ("dh", "d"), ("ps", "P"),
)  # fmt: skip
_LATIN_LETTERS = str.maketrans(
    {"y": "i", "u": "i", "h": "x", "w": "o", "c": "k", "q": "k", "3": "x", "9": "8", "P": "ps", "U": "u"}
)
_SOUNDS = (("mp", "b"), ("nt", "d"), ("nd", "d"), ("gk", "g"), ("gg", "g"), ("ng", "g"), ("af", "av"), ("ef", "ev"))
_DOUBLE = re.compile(r"(.)\1")
_BETWEEN = re.compile(r"[^0-9a-zα-ω]+")


def fold(text: str) -> str:
    """Case, accents and the final sigma set aside: ``Άργος`` and ``ΑΡΓΟΣ`` give the same text."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).replace("ς", "σ")


def words(text: str) -> str:
    """Folded, with whatever stands between words as one space: ``Δίον - Όλυμπος`` gives ``διον ολυμποσ``."""
    return _BETWEEN.sub(" ", fold(text)).strip()


def greeklish(text: str) -> str:
    """A phonetic key over both alphabets: ``Μυτιλήνη``, ``Mytilini`` and ``Mitilini`` give the same text.

    It is coarse on purpose (χ, ξ, ch, h and x are one letter, doubled letters count once): hits by it rank below
    folded ones.
    """
    key = words(text)
    for greek, sound in _GREEK_PAIRS:
        key = key.replace(greek, sound)
    key = "".join(_LETTERS.get(letter, letter) for letter in key)
    for latin, sound in _LATIN_PAIRS:
        key = key.replace(latin, sound)
    key = key.translate(_LATIN_LETTERS)
    for pair, sound in _SOUNDS:
        key = key.replace(pair, sound)
    return _DOUBLE.sub(r"\1", key)
