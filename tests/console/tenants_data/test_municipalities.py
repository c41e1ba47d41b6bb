"""The directory of municipalities: complete, unique, findable by people, and a tile map whose regions hold together."""

import re

import pytest

from vigla_console.tenants.folding import fold, greeklish, words
from vigla_console.tenants.municipalities import Municipalities, load


@pytest.fixture(scope="module")
def directory() -> Municipalities:
    return load()


def test_the_directory_is_that_of_2019(directory: Municipalities) -> None:
    rows = list(directory)
    assert len(rows) == len(directory) == 332
    assert len({row.region for row in rows}) == len(directory.regions) == 13
    assert len({row.regional_unit for row in rows}) == 74
    assert sum(row.population_2021 for row in rows) == 10_480_741
    assert directory.by_elstat_code("9901") is None, "Mount Athos is no municipality"


def test_ids_and_codes_are_unique_and_well_formed(directory: Municipalities) -> None:
    ids = [row.id for row in directory]
    codes = [row.elstat_code for row in directory]
    assert len(set(ids)) == len(set(codes)) == 332
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", name)] == []
    assert [code for code in codes if not re.fullmatch(r"[0-9]{4}", code)] == []
    assert directory.get("iraklio") is None
    assert {row.id for row in directory.find("iraklio")} == {"iraklio_attikis", "iraklio_kritis"}


def test_no_id_is_a_pattern_prefix_of_another(directory: Municipalities) -> None:
    """An index is `vigla-alerts-<id>-<year>`: a pattern of one municipality must never reach another's index."""
    ids = [row.id for row in directory]
    indices = {name: f"vigla-alerts-{name}-2026" for name in ids}
    assert [(a, b) for a in ids for b in ids if a != b and indices[b].startswith(f"vigla-alerts-{a}-")] == []


def test_demo_towns_are_where_the_design_puts_them(directory: Municipalities) -> None:
    population = {"petroupoli": 60_146, "mytilini": 59_034, "kalamata": 72_906, "orestiada": 31_686}
    for town, people in population.items():
        row = directory.get(town)
        assert row is not None
        assert row.population_2021 == people


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ορεστιάδος", {"orestiada"}),
        ("Mytilini", {"mytilini"}),
        ("Μυτιλήνη", {"mytilini"}),
        ("ΜΥΤΙΛΗΝΗΣ", {"mytilini"}),
        ("Δήμος Καλαμάτας", {"kalamata"}),
        ("Municipality of Kalamata", {"kalamata"}),
        ("Ηράκλειο", {"iraklio_attikis", "iraklio_kritis"}),
        ("Heraklion", {"iraklio_kritis"}),
        ("Λέσβος", {"mytilini", "dytiki_lesvos"}),
        ("mutilhnh", set()),  # h for η is a keyboard habit, not a sound: nothing is better than a wrong town
        ("Mitilini", {"mytilini"}),
        ("Petroupolh", set()),
        ("xania", {"chania"}),
        ("8essaloniki", {"thessaloniki"}),
        ("4401", {"kalamata"}),
        ("nafpaktia", {"nafpaktia"}),
        ("Naupaktia", set()),
        ("δίον όλυμπος", {"dion_olympos"}),
        ("", set()),
        ("Ατλαντίδα", set()),
    ],
)
def test_find_gives_none_one_or_many(directory: Municipalities, text: str, expected: set[str]) -> None:
    assert {row.id for row in directory.find(text)} == expected


def test_search_matches_the_start_of_any_word(directory: Municipalities) -> None:
    assert {row.id for row in directory.search("αναργυρ")} == {"aghii_anargyri_kamatero"}
    assert "kalamata" in {row.id for row in directory.search("kala")}
    assert len(directory.search("α", limit=5)) == 5
    assert directory.search(" ") == ()


def test_every_greek_name_is_accented_and_both_cases_differ(directory: Municipalities) -> None:
    accents = set("άέήίόύώΐΰΆΈΉΊΌΎΏ")
    unaccented = [
        word
        for row in directory
        for name in (row.name_el, row.name_el_genitive)
        for word in re.findall(r"[Α-Ωα-ωά-ώΐΰϊϋΆ-Ώ]+", name)
        if not accents & set(word)
    ]
    # One syllable carries no accent in Greek, the conjunction neither.
    assert sorted(set(unaccented)) == ["Κω", "Κως", "και"]


def test_formal_names(directory: Municipalities) -> None:
    town = directory.get("kalamata")
    assert town is not None
    assert town.formal_name("el") == "Δήμος Καλαμάτας"
    assert town.formal_name("en") == "Municipality of Kalamata"
    assert directory.region_of(town).name("el") == "Πελοπόννησος"


def test_the_tile_map_has_a_cell_for_everyone_and_each_region_is_one_block(directory: Municipalities) -> None:
    cells = {(tile.col, tile.row): name for name, tile in directory.tiles.items()}
    assert len(cells) == len(directory.tiles) == 332
    assert set(directory.tiles) == {row.id for row in directory}
    assert all(0 <= col < 24 and 0 <= row < 24 for col, row in cells)
    for region in directory.regions:
        members = {
            (directory.tiles[row.id].col, directory.tiles[row.id].row)
            for row in directory
            if row.region == region.name_el
        }
        reached, todo = set(), [min(members)]
        while todo:
            col, row = todo.pop()
            if (col, row) in members - reached:
                reached.add((col, row))
                todo += [(col + 1, row), (col - 1, row), (col, row + 1), (col, row - 1)]
        assert reached == members, region.name_el
        assert (region.label_col, region.label_row) not in cells, f"{region.name_el}: its name lies on a tile"


def test_folding_is_one_function_for_both_sides() -> None:
    assert fold("ΆΡΓΟΣ") == fold("Άργος") == "αργοσ"
    assert words("Δίον - Όλυμπος") == words(" ΔΙΟΝ/ΟΛΥΜΠΟΣ ")
    assert greeklish("Μπάμπης Ξένος") == greeklish("Bampis Ksenos")
