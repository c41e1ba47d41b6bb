"""A log source as people write it on the command line."""

import difflib

_PARTS = ("product", "category", "service")
FORMS = "windows, windows/security, or product=windows,category=process_creation"


def log_source(text: str) -> dict[str, str | None]:
    """`product`, `product/service`, or `key=value` pairs with commas between, as the core's settings want it.

    Raises `ValueError` that names the accepted forms.
    """
    found: dict[str, str | None] = dict.fromkeys(_PARTS)
    if "=" not in text:
        product, slash, service = text.strip().partition("/")
        if not product or (slash and not service) or "/" in service or "," in text:
            raise ValueError(f"log source '{text}': write it as {FORMS}")
        return found | {"product": product, "service": service or None}
    for pair in text.split(","):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if key not in _PARTS:
            near = difflib.get_close_matches(key, _PARTS, 1)
            meant = f"; did you mean '{near[0]}'?" if near else f"; its parts are {', '.join(_PARTS)}"
            raise ValueError(f"log source '{text}': unknown part '{key}'{meant}")
        if not equals or not value:
            raise ValueError(f"log source '{text}': {key} has no value; write it as {FORMS}")
        if found[key] is not None:
            raise ValueError(f"log source '{text}': {key} stands there twice")
        found[key] = value
    return found
