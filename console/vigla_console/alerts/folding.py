"""One folding for stored text and for queries: what a person types without accents finds what a log wrote with them."""

import unicodedata

LONGEST_WORD = 64


def fold(text: str) -> str:
    """NFKD, casefold, NFKD, drop combining marks, final sigma → sigma, all but letters and digits to spaces, words cut
    at 64.

    On its result the tokenizers `whitespace` (Elasticsearch) and `unicode61 remove_diacritics 0` (SQLite) agree.
    """
    flat = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = []
    for character in flat:
        category = unicodedata.category(character)
        if category[0] == "M":
            continue
        kept.append(("σ" if character == "ς" else character) if category[0] in "LN" else " ")
    return " ".join(word[:LONGEST_WORD] for word in "".join(kept).split())
