"""Land, coasts and borders of the world, for pictures only (nothing is computed from them).

Natural Earth 4.1.0 at 1:50 million and 1:110 million, in the public domain, as packed in TopoJSON by the npm package
world-atlas 2.0.2 (ISC licence, beside the data). Rings and lines are arrays ``(n, 2)`` of longitude and latitude in
rad, longitude first, as in ``specs.Area``. Rings may cross the date line and surround a pole: they are rings on the
sphere, not in a plane.

A TopoJSON file keeps each boundary once, as an *arc*; an arc that two countries share is a border, one that has a
single owner is a coast. Format: github.com/topojson/topojson-specification, version 1.0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Detail = Literal["50m", "110m"]
Line = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """``land``: rings, outer ones and holes alike (fill by the even-odd rule); ``coasts``, ``borders``: open or
    closed lines.
    """

    land: tuple[Line, ...]
    coasts: tuple[Line, ...]
    borders: tuple[Line, ...]


@cache
def world(detail: Detail = "50m") -> World:
    """The world at a level of ``detail``; read once, about 30 ms for "50m".

    Raises ValueError for another level.
    """
    if detail not in ("50m", "110m"):
        raise ValueError(f"detail {detail!r} is not one of '50m', '110m'")
    topology = json.loads((files("tocsin.earth") / "data" / f"countries-{detail}.json").read_bytes())
    arcs = _arcs(topology)
    owners = np.zeros(len(arcs), dtype=np.int64)
    for country in topology["objects"]["countries"]["geometries"]:
        mine = {index if index >= 0 else ~index for ring in _rings(country) for index in ring}
        owners[sorted(mine)] += 1
    land = [_join(arcs, ring) for shape in topology["objects"]["land"]["geometries"] for ring in _rings(shape)]
    return World(
        land=tuple(land),
        coasts=tuple(arc for arc, n in zip(arcs, owners, strict=True) if n == 1),
        borders=tuple(arc for arc, n in zip(arcs, owners, strict=True) if n > 1),
    )


def _arcs(topology: dict[str, Any]) -> list[Line]:
    """The arcs in rad: quantized differences in the file, so summed, scaled and moved."""
    scale = np.array(topology["transform"]["scale"])
    move = np.array(topology["transform"]["translate"])
    return [np.radians(np.cumsum(np.array(arc, dtype=np.int64), axis=0) * scale + move) for arc in topology["arcs"]]


def _rings(shape: dict[str, Any]) -> Iterator[list[int]]:
    """The arc numbers of each ring of a Polygon or MultiPolygon; ``~i`` means arc ``i`` backwards."""
    if shape["type"] == "Polygon":
        yield from shape["arcs"]
    elif shape["type"] == "MultiPolygon":
        for polygon in shape["arcs"]:
            yield from polygon


def _join(arcs: list[Line], ring: list[int]) -> Line:
    """One closed ring from its arcs; neighbours share an end point, which is kept once."""
    parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
