"""The tile map of all municipalities as numbers for one server-made SVG, and the same as rows of a table."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from vigla_console.incidents.models import Severity, TenantPicture
from vigla_console.sensors.models import Sensor
from vigla_console.tenants.models import TenantId
from vigla_console.tenants.municipalities import Municipalities, Municipality, Region

CELL = 30
GAP = 3
COLUMNS = 24
ROWS = 24


@dataclass(frozen=True, slots=True)
class Square:
    """One municipality on the map; ``sensor`` is `live`, `silent` (some box is) or `none`."""

    municipality: Municipality
    x: int
    y: int
    picture: TenantPicture | None
    sensor: str

    @property
    def worst(self) -> Severity | None:
        return self.picture.worst if self.picture is not None else None

    @property
    def open(self) -> int:
        return sum(self.picture.open_by_severity.values()) if self.picture is not None else 0

    @property
    def href(self) -> str:
        return f"/soc/queue?muni={self.municipality.id}"


@dataclass(frozen=True, slots=True)
class RegionLabel:
    region: Region
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class TileMap:
    """``width`` and ``height`` in SVG units."""

    squares: Sequence[Square]
    labels: Sequence[RegionLabel]
    width: int
    height: int

    def notable(self) -> list[Square]:
        """Those with something open or a silent sensor, the worst first: the head of the table."""
        chosen = [square for square in self.squares if square.open or square.sensor == "silent"]
        return sorted(chosen, key=lambda s: (-(s.worst or 0), -s.open, s.municipality.name_el))


def draw(
    municipalities: Municipalities,
    picture: Iterable[TenantPicture],
    sensor_states: Mapping[TenantId, str],
) -> TileMap:
    """Places every municipality of the directory; one without a picture is drawn empty."""
    pictures = {row.tenant: row for row in picture}
    step = CELL + GAP
    squares = []
    for municipality in municipalities:
        tile = municipalities.tiles[municipality.id]
        tenant = TenantId(municipality.id)
        squares.append(
            Square(
                municipality=municipality,
                x=tile.col * step,
                y=tile.row * step,
                picture=pictures.get(tenant),
                sensor=sensor_states.get(tenant, "none"),
            )
        )
    labels = [
        RegionLabel(region, region.label_col * step, region.label_row * step + step - 2 * GAP - 2)
        for region in municipalities.regions
    ]
    return TileMap(squares, labels, COLUMNS * step - GAP, ROWS * step - GAP)


def states_by_tenant(sensors: Iterable[tuple[Sensor, str]]) -> dict[TenantId, str]:
    """Per municipality `silent` if any of its boxes is not live, else `live`."""
    found: dict[TenantId, str] = {}
    for sensor, state in sensors:
        known = found.get(sensor.tenant, "live")
        found[sensor.tenant] = "live" if state == known == "live" else "silent"
    return found
