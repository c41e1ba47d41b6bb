"""Windows events in the EVTX-to-JSON shape → fields, as sigma.md 7 says: header scalars, then the body by own names."""

from collections.abc import Iterator, Mapping

from tests.sigma.reference import Event

Leaf = tuple[str, object]


def windows_event(document: Mapping[str, object], logsource: Mapping[str, str | None]) -> Event:
    """One line's event. What the body hides of the header stays in ``header``: gates read it there."""
    event = document["Event"]
    assert isinstance(event, dict)
    header = joined(system(event["System"]))
    body = joined(
        leaf
        for section, content in event.items()
        if section not in ("System", "#attributes") and isinstance(content, dict)
        for name, value in content.items()
        if name != "#attributes"
        for leaf in leaves(name, value)
    )
    hidden = {name: value for name, value in header.items() if name in body}
    return Event({**header, **body}, logsource, header=hidden)


def windows_row(document: Mapping[str, object], logsource: Mapping[str, str | None]) -> dict[str, Mapping[str, object]]:
    """The same for engines that are handed fields: ``fields`` as rules see them, ``header`` whole."""
    event = windows_event(document, logsource)
    whole = document["Event"]
    assert isinstance(whole, dict)
    return {"fields": event.fields, "header": joined(system(whole["System"]))}


def system(header: Mapping[str, object]) -> Iterator[Leaf]:
    """Scalars of ``System``, text beside attributes, and the provider's name."""
    for name, value in header.items():
        if not isinstance(value, dict):
            yield name, value
            continue
        if name == "Provider":
            yield "Provider_Name", value.get("#attributes", {}).get("Name")
        if "#text" in value:
            yield name, value["#text"]


def leaves(name: str, value: object) -> Iterator[Leaf]:
    """Leaves of the body by their own name, at any depth."""
    if isinstance(value, dict):
        for part, inner in value.items():
            if part == "#text":
                yield name, inner
            elif part != "#attributes":
                yield from leaves(part, inner)
    elif isinstance(value, list) and any(isinstance(member, dict) for member in value):
        for member in value:
            yield from leaves(name, member)
    else:
        yield name, value


def joined(pairs: Iterator[Leaf]) -> dict[str, object]:
    """Names without blanks; several leaves of one name become a list."""
    found: dict[str, object] = {}
    for name, value in pairs:
        key = name.replace(" ", "")
        if key not in found:
            found[key] = value
        else:
            old = found[key] if isinstance(found[key], list) else [found[key]]
            found[key] = [*old, *(value if isinstance(value, list) else [value])]
    return found
