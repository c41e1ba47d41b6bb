"""The 332 municipalities and 13 regions as the project's own data: who they are, their names, where their tile lies.

It must not know tenants, users or alerts. Imports join by ``id`` or code, never by name; ``find`` answers people, and
gives 0, 1 or many, never a guess. Source of codes, English names and population: ELSTAT, census 2021; the Greek names
are written by us.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from io import StringIO

from vigla_console.tenants.folding import greeklish, words

_PREFIXES = ("δημοσ ", "δημου ", "municipality of ")


@dataclass(frozen=True, slots=True)
class Municipality:
    """One row of ``data/municipalities.csv``. ``id`` is frozen and never reused; ``elstat_code`` is text of four
    digits.
    """

    id: str
    elstat_code: str
    ypes_code: str | None
    name_el: str
    name_el_genitive: str
    name_en: str
    region: str
    regional_unit: str
    population_2021: int
    aliases: tuple[str, ...]

    def name(self, language: str) -> str:
        """The short name: ``Καλαμάτα``, ``Kalamata``."""
        return self.name_el if language == "el" else self.name_en

    def formal_name(self, language: str) -> str:
        """The body's name: ``Δήμος Καλαμάτας``, ``Municipality of Kalamata``."""
        return f"Δήμος {self.name_el_genitive}" if language == "el" else f"Municipality of {self.name_en}"


@dataclass(frozen=True, slots=True)
class Region:
    """One of the 13 regions; ``label_col`` and ``label_row`` are where its name stands on the tile map."""

    id: str
    name_el: str
    name_el_genitive: str
    name_en: str
    label_col: int
    label_row: int

    def name(self, language: str) -> str:
        return self.name_el if language == "el" else self.name_en


@dataclass(frozen=True, slots=True)
class Tile:
    """A municipality's cell on the tile map, counted from the top left of at most 24 by 24."""

    id: str
    col: int
    row: int


class Municipalities:
    """The directory: lookups by id and code, search by name, tiles and regions."""

    def __init__(self, rows: tuple[Municipality, ...], regions: tuple[Region, ...], tiles: tuple[Tile, ...]) -> None:
        self._rows = rows
        self._by_id = {row.id: row for row in rows}
        self._by_code = {row.elstat_code: row for row in rows}
        self._regions = {region.name_el: region for region in regions}
        self.tiles: Mapping[str, Tile] = {tile.id: tile for tile in tiles}
        self._folded: dict[str, list[Municipality]] = defaultdict(list)
        self._sounds: dict[str, list[Municipality]] = defaultdict(list)
        for row in rows:
            names = (row.name_el, row.name_el_genitive, row.name_en, *row.aliases)
            for key in dict.fromkeys([*map(words, names), row.id.replace("_", " "), row.elstat_code]):
                self._folded[key].append(row)
            for key in dict.fromkeys(map(greeklish, names)):
                self._sounds[key].append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Municipality]:
        return iter(self._rows)

    def get(self, municipality_id: str) -> Municipality | None:
        return self._by_id.get(municipality_id)

    def by_elstat_code(self, code: str) -> Municipality | None:
        return self._by_code.get(code)

    @property
    def regions(self) -> tuple[Region, ...]:
        return tuple(self._regions.values())

    def region_of(self, municipality: Municipality) -> Region:
        return self._regions[municipality.region]

    def find(self, text: str) -> tuple[Municipality, ...]:
        """Everyone that is called so: a name, genitive, alias, id or code in any case and accents; failing that, by
        sound.

        ``Ηράκλειο`` gives two and ``Λέσβος`` gives two: choosing is for the person who asked.
        """
        wanted = words(text)
        for prefix in _PREFIXES:
            wanted = wanted.removeprefix(prefix)
        if not wanted:
            return ()
        return tuple(self._folded.get(wanted) or self._sounds.get(greeklish(wanted)) or ())

    def search(self, text: str, limit: int = 20) -> tuple[Municipality, ...]:
        """For a search box: ``find`` first, then names in which some word begins with the text, in the directory's
        order.
        """
        hits = dict.fromkeys(self.find(text))
        for index, key in ((self._folded, words(text)), (self._sounds, greeklish(text))):
            if key:
                hits |= dict.fromkeys(row for name, rows in index.items() if f" {key}" in f" {name}" for row in rows)
        return tuple(hits)[:limit]


def load() -> Municipalities:
    """Reads the three data files of the package."""
    municipalities = tuple(
        Municipality(
            id=row["id"],
            elstat_code=row["elstat_code"],
            ypes_code=row["ypes_code"] or None,
            name_el=row["name_el"],
            name_el_genitive=row["name_el_genitive"],
            name_en=row["name_en"],
            region=row["region"],
            regional_unit=row["regional_unit"],
            population_2021=int(row["population_2021"]),
            aliases=tuple(filter(None, row["aliases"].split(" | "))),
        )
        for row in _rows("municipalities.csv")
    )
    regions = tuple(
        Region(
            id=row["id"],
            name_el=row["name_el"],
            name_el_genitive=row["name_el_genitive"],
            name_en=row["name_en"],
            label_col=int(row["label_col"]),
            label_row=int(row["label_row"]),
        )
        for row in _rows("regions.csv")
    )
    tiles = tuple(Tile(id=row["id"], col=int(row["col"]), row=int(row["row"])) for row in _rows("tiles.csv"))
    return Municipalities(municipalities, regions, tiles)


def _rows(name: str) -> list[dict[str, str]]:
    text = files("vigla_console.tenants").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(StringIO(text)))
