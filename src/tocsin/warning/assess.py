"""One object's estimates at one time: where it rose, where it comes down, over which areas, what it is.

``Assessor.assess`` is a function of its arguments: the same track, history and word on the plume give the same
answer, whatever was asked before (what it keeps between calls are only answers it has already given).

Two sources of knowledge. While it burns, or when only the burning was seen, the boost fit (see ``boostfit``). When
radars have seen it coast, the arc through their looks (``coastfit``; with what the burning tells of its beginning) or,
where they are too few, the track's state, carried on by ``coasting``; the launch then still comes from the boost fit
if the burning was seen, else from the believed burnout numbers of the classes. A track that may be either gives a
mixture of both.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tocsin.earth.clock import to_ns
from tocsin.earth.polygons import contains, ring_arrays
from tocsin.records.columns import Kind, Table, unpack_symmetric
from tocsin.records.shapes import AreaRisk, Estimate
from tocsin.scenario.specs import Area, FlightClass, NationSpec, Spread
from tocsin.tracking.measure import Looks, lay_out
from tocsin.tracking.tracker import History
from tocsin.warning import boostfit, coastfit, coasting, regions, typing
from tocsin.warning.coasting import Cloud
from tocsin.warning.evidence import tells_burning

Floats = NDArray[np.float64]

_MOST_LOOKS = 48  # in one boost fit; more are thinned evenly
_TRACKS, _POINTS = 128, 96  # ground tracks for passages: rows and points of each
_SURE = 0.98  # a model probability beyond which the other is not worked out
_COAST_LOOKS = 3  # radar detections after the burning that make a coast state better than the boost fit
_SHORT_ARC, _LONG_ARC = 10.0, 40.0  # s of free flight that count, the longer against the track's own word
_REENTRY = 100e3  # m: under it on the way down air is felt
_WITH_DIRECTION = (Kind.RAE, Kind.RAER, Kind.LOS)
_MOST_CLASSES = 5  # drawn from in one fit
_FEW = 10  # looks: fewer leave the posterior crooked, and more draws are made
_HOPELESS = 12.0  # log units behind the best class
_MEMORY = 64
_LAUNCH_STRETCH = 2.0  # most that a launch ellipse may grow over the normal one to hold its share of the draws


@dataclass(frozen=True)
class Plume:
    """What infrared looks say of the burning: last seen at ``last_seen_ns``; a later look at ``gone_ns`` must have
    seen it and did not.

    ``gone_ns`` None: no such look yet.
    """

    last_seen_ns: int
    gone_ns: int | None = None


@dataclass(frozen=True)
class Assessment:
    """``launch``, ``impact``; ``areas`` in the nation's order; ``types``: class id to probability (sum 1);
    ``burnout_ns``: end of

    thrust, None while it may still burn; ``p_impact``: probability that it comes down at all; ``misfit``: log units by
    which what was seen of the burning lies beyond what chance allows for the best flight of any class (0: it does not);
    ``ranges``, ``clear``: see ``typing.families``.
    """

    launch: Estimate
    impact: Estimate
    areas: tuple[AreaRisk, ...]
    types: dict[str, float]
    burnout_ns: int | None
    p_impact: float
    misfit: float = 0.0
    ranges: tuple[float, float, float, float] = (0.25, 0.25, 0.25, 0.25)
    clear: float | None = None


@dataclass(frozen=True)
class _Boost:
    """A boost fit of all classes: log scores, and of the believable ones their draws."""

    scores: dict[str, float]
    draws: dict[str, boostfit.Launches]
    as_of_s: float
    misfit: float = 0.0


@dataclass(frozen=True)
class _Points:
    """Weighted launch points: latitude, longitude (rad), time, end of thrust (s), weight."""

    lat: Floats
    lon: Floats
    t: Floats
    burnout: Floats
    weight: Floats


class Assessor:
    """Makes assessments for one nation from what its ``spec`` declares and believes."""

    def __init__(self, spec: NationSpec) -> None:
        self._spec = spec
        self._theta0 = spec.theta0
        self._models = {c.id: boostfit.model_of(c) for c in spec.classes}
        self._classes: dict[str, FlightClass] = {c.id: c for c in spec.classes}
        self._priors = {c.id: c.prior for c in spec.classes}
        self._infrared = np.array(sorted(s.n for s in spec.sensors if tells_burning(s)), dtype=np.int64)
        self._caps = [_cap(area) for area in spec.areas]
        self._rings = [ring_arrays(area.rings) for area in spec.areas]
        self._memory: OrderedDict[bytes, _Boost] = OrderedDict()

    def assess(self, t_ns: int, track: np.void, history: History, plume: Plume | None = None) -> Assessment:
        """Assess a track at ``t_ns`` from its row (``columns.TRACK``) and the detections behind it.

        ``plume``: the word on the end of the burning; by default it was last seen with the last infrared detection.
        """
        detections, scans = history.detections, history.scans
        x = np.array(track["x"], dtype=np.float64)
        P = unpack_symmetric(np.asarray(track["P"], dtype=np.float64), 6)
        at = int(track["t_ns"]) / 1e9
        mu = np.asarray(track["mu"], dtype=np.float64)
        p_boost = float(mu[0] / mu.sum()) if mu.sum() > 0.0 else 0.0
        times = detections["t_ns"] / 1e9
        as_of = float(times.max()) if len(times) else at
        by_infrared = np.isin(detections["sensor"], self._infrared)
        burn = boostfit.Burn(-math.inf)
        if by_infrared.any():
            burn = _burn(float(times[by_infrared].max()), plume)
        free = ~by_infrared & (times > (burn.gone if math.isfinite(burn.gone) else burn.seen))
        arc = self._arc(detections[free], scans[free], x, at, p_boost, None)

        boost: _Boost | None = None
        if by_infrared.any():
            if arc is not None:
                # what flies freely since then has ended its thrust before
                burn = boostfit.Burn(burn.seen, min(burn.gone, max(arc.since, burn.seen + 0.1)))
            # a radar's look after the last of the plume may be of burning or of coasting: it tells nothing here
            use = times <= burn.seen
            boost = self._boost(detections[use], scans[use], burn)
            enough = int(free.sum()) >= _COAST_LOOKS and p_boost < 0.5
            if arc is not None and boost.draws:
                arc = self._arc(detections[free], scans[free], x, at, p_boost, self._cutoff_state(boost)) or arc
            p_boost = 0.0 if arc is not None or enough or not boost.draws else 1.0
        elif arc is not None:
            p_boost = 0.0
        elif p_boost > 1.0 - _SURE and bool(np.isin(detections["kind"], _WITH_DIRECTION).any()):
            boost = self._boost(detections, scans, boostfit.Burn(as_of))
            if not boost.draws:
                boost, p_boost = None, 0.0
            elif p_boost > _SURE:
                p_boost = 1.0
        else:
            p_boost = 0.0
        if arc is not None:
            x, P, at = arc.x, arc.P, arc.t

        clear: float | None = None
        parts: list[tuple[float, Cloud]] = []
        scores = dict(boost.scores) if boost is not None else dict.fromkeys(self._classes, 0.0)
        shares = typing.probabilities(scores, self._priors)
        if boost is not None and p_boost > 0.0:
            whole = sum(shares[k] for k in boost.draws)
            parts += [(p_boost * shares[k] / whole, d.impacts) for k, d in boost.draws.items()]
        if p_boost < 1.0:
            if p_boost == 0.0:
                states, w = coasting.draw_states(x, P, self._theta0, at, 256)
                clear = typing.clear_of_the_air(states, w)
                arcs = coasting.arc_impacts(states, np.full(len(states), at), self._theta0)[1]
                for name, c in self._classes.items():
                    # how steep it flies is in the boost fit's evidence already
                    steep = arcs[:, 5] if boost is None else None
                    scores[name] += typing.energy_score(c, arcs[:, 3], arcs[:, 4], w, steep)
                shares = typing.probabilities(scores, self._priors)
            parts.append((1.0 - p_boost, coasting.coast_cloud(x, P, at, self._theta0, self._drag(shares))))
        cloud = parts[0][1] if len(parts) == 1 else boostfit.mixture(parts)
        basis = "boost-fit" if p_boost == 1.0 else "coast" if p_boost == 0.0 else "boost-fit+coast"

        points = self._launches(boost, shares, x, P, at)
        burning = p_boost >= 0.5 and (plume is None or plume.gone_ns is None)
        burnout = None
        if points is not None and not burning:
            burnout = to_ns(float(points.weight @ points.burnout))
        launch_as_of = to_ns(boost.as_of_s if boost is not None and boost.draws else as_of)
        origin = (float(points.lat[0]), float(points.lon[0])) if points is not None else None
        if points is not None:
            origin = regions.middle(points.lat, points.lon, points.weight)
        return Assessment(
            _launch_estimate(points, launch_as_of, "boost-fit" if boost is not None and boost.draws else "coast"),
            _impact_estimate(cloud, to_ns(as_of), basis, origin if p_boost > 0.0 else None),
            self._risks(cloud),
            shares,
            burnout,
            min(max(cloud.p_impact, 0.0), 1.0),
            boost.misfit if boost is not None else 0.0,
            _ranges(cloud, origin),
            clear,
        )

    def _arc(
        self, detections: Table, scans: Table, x: Floats, at: float, p_boost: float, prior: coastfit.Prior | None
    ) -> coastfit.Arc | None:
        """The free arc of the newest of some looks (before re-entry); None if they do not tell that it flies freely."""
        if coasting.reenters(x, _REENTRY):
            high = coastfit.heights(x, at, detections["t_ns"] / 1e9, self._theta0) > _REENTRY
            detections, scans = detections[high], scans[high]
        if len(detections) < coastfit.LEAST:
            return None
        looks = boostfit.smooth_noise(lay_out(detections, scans), detections["sensor"])
        arc = coastfit.fit_arc(looks, boostfit.whiteners(looks), x, at, self._theta0, prior)
        if arc is None:
            return None
        span = arc.t - arc.since
        return arc if span >= (_SHORT_ARC if p_boost < 0.5 else _LONG_ARC) else None

    def _cutoff_state(self, boost: _Boost) -> coastfit.Prior:
        """What the burning tells of the state after it."""
        shares = typing.probabilities(boost.scores, self._priors)
        cloud = boostfit.mixture([(shares[k], d.impacts) for k, d in boost.draws.items()])
        return coastfit.prior_of(cloud.x, cloud.t_x, cloud.weight, self._theta0)

    def _drag(self, shares: dict[str, float]) -> list[tuple[float, Spread]]:
        return [(shares[k], c.beta) for k, c in self._classes.items()]

    def _boost(self, detections: Table, scans: Table, burn: boostfit.Burn) -> _Boost:
        key = hashlib.blake2b(digest_size=16)
        for part in (detections, scans):
            key.update(np.ascontiguousarray(part).tobytes())
        key.update(np.array([burn.seen, burn.gone]).tobytes())
        digest = key.digest()
        known = self._memory.get(digest)
        if known is not None:
            self._memory.move_to_end(digest)
            return known
        made = self._fit(detections, scans, burn)
        self._memory[digest] = made
        if len(self._memory) > _MEMORY:
            self._memory.popitem(last=False)
        return made

    def _fit(self, detections: Table, scans: Table, burn: boostfit.Burn) -> _Boost:
        """Fit all classes to detections, and draw from those that explain them."""
        keep = _thinned(detections, self._infrared)
        detections, scans = detections[keep], scans[keep]
        looks = boostfit.smooth_noise(lay_out(detections, scans), detections["sensor"])
        position, velocity, t = boostfit.rough_path(looks, detections["sensor"], self._theta0)
        intensity = detections["intensity"][np.isin(detections["sensor"], self._infrared)]
        found: dict[str, boostfit.Fit] = {}
        rough: dict[str, float] = {}
        seen_as = {k: typing.intensity_score(c, intensity) for k, c in self._classes.items()}
        for name, model in self._models.items():
            fit = _best_fit(model, looks, position, velocity, t, self._theta0)
            if fit is not None:
                found[name] = fit
                # whether the burn lasts as long as it was seen belongs to the evidence too
                lit = fit.t_launch
                late = typing.burn_score(model.burn, model.burn_spread, model.cutoff, burn.seen - lit, burn.gone - lit)
                rough[name] = fit.log_evidence + late + seen_as[name]
        scores = dict(rough)
        draws: dict[str, boostfit.Launches] = {}
        weighed = {k: v + math.log(max(self._priors[k], 1e-12)) for k, v in rough.items()}
        many = 448 if len(detections) < _FEW else 320
        left = sorted(rough, key=lambda k: (-weighed[k], k))
        # the likeliest first; what draws tell may put one that seemed hopeless within reach again
        while left and len(draws) < _MOST_CLASSES:
            name = left.pop(0)
            reached = max((weighed[k] for k in draws), default=weighed[name])
            if weighed[name] < reached - _HOPELESS:
                break
            rows = many if not draws else many * 3 // 5 if weighed[name] > reached - 3.0 else many // 5
            beta = self._classes[name].beta.nominal
            drawn = boostfit.draw(found[name], looks, burn, self._theta0, rows, beta)
            scores[name] = -math.inf
            if drawn is not None:
                draws[name] = drawn
                scores[name] = drawn.log_evidence + seen_as[name]
                weighed[name] = scores[name] + math.log(max(self._priors[name], 1e-12))
        return _Boost(scores, draws, float(looks.t_s.max()), _misfit(found.values(), int(looks.rows.sum())))

    def _launches(
        self, boost: _Boost | None, shares: dict[str, float], x: Floats, P: Floats, at: float
    ) -> _Points | None:
        parts = []
        if boost is not None and boost.draws:
            for name, d in boost.draws.items():
                cut = d.cutoff.reshape(len(d.lat), -1).mean(axis=1)
                parts.append((d.lat, d.lon, d.t, cut, shares[name] * d.weight))
        else:
            for name, c in self._classes.items():
                if shares[name] < 1e-3:
                    continue
                model = self._models[name]
                origin = coasting.Origin(c.burnout_height, c.burnout_downrange, Spread(model.burn, model.burn_spread))
                lat, lon, t, burnout = coasting.launch_cloud(x, P, at, self._theta0, origin)
                if len(lat):
                    parts.append((lat, lon, t, burnout, np.full(len(lat), shares[name] / coasting.LAUNCH_ROWS)))
        if not parts:
            return None
        lat, lon, t, burnout, w = (np.concatenate([p[i] for p in parts]) for i in range(5))
        return _Points(lat, lon, t, burnout, w / w.sum()) if w.sum() > 0.05 else None

    def _risks(self, cloud: Cloud) -> tuple[AreaRisk, ...]:
        """Each area's probability of impact (all rows of the cloud) and of passage (evenly chosen rows' ground
        tracks).
        """
        hit = np.flatnonzero(cloud.hit)
        if not len(hit):
            return tuple(AreaRisk(a.id, 0.0, 0.0, None, False) for a in self._spec.areas)
        w = cloud.weight[hit]
        p_hit = float(w.sum())
        ends = _unit(cloud.lat[hit], cloud.lon[hit])
        total = np.cumsum(w) / (p_hit or 1.0)  # where all that comes down has no weight, any row will do
        chosen = hit[np.minimum(np.searchsorted(total, (np.arange(_TRACKS) + 0.5) / _TRACKS), len(hit) - 1)]
        tracks = coasting.ground_tracks(cloud, chosen, self._theta0, _POINTS)
        lat, lon, when = (np.ascontiguousarray(tracks[:, :, k].ravel()) for k in range(3))
        under = _unit(lat, lon)
        out = []
        for area, rings, (axis, cosine) in zip(self._spec.areas, self._rings, self._caps, strict=True):
            p_impact, p_passage, t = 0.0, 0.0, None
            near = np.flatnonzero(ends @ axis >= cosine)
            if len(near):
                inside = near[contains(rings, cloud.lat[hit[near]], cloud.lon[hit[near]])]
                p_impact = float(w[inside].sum())
                if p_impact > 0.0:
                    t = float(w[inside] @ cloud.t[hit[inside]]) / p_impact
            near = np.flatnonzero(under @ axis >= cosine)
            if len(near):
                over = np.zeros(len(lat), dtype=bool)
                over[near] = contains(rings, lat[near], lon[near])
                rows = over.reshape(_TRACKS, _POINTS)
                passing = rows.any(axis=1)
                if passing.any():
                    p_passage = p_hit * float(passing.mean())
                    first = rows.argmax(axis=1)[passing]
                    t = float(when.reshape(_TRACKS, _POINTS)[passing, first].mean())
            p_passage = max(p_passage, p_impact)
            excluded = p_impact < self._spec.rule.exclude_below
            likely = t is not None and p_passage >= 0.01
            out.append(
                AreaRisk(
                    area.id,
                    min(p_impact, 1.0),
                    min(p_passage, 1.0),
                    to_ns(t) if likely and t is not None else None,
                    excluded,
                )
            )
        return tuple(out)


def _ranges(cloud: Cloud, origin: tuple[float, float] | None) -> tuple[float, float, float, float]:
    """Shares of the ranges from a launch point; from the arcs themselves where that is not known."""
    if origin is None:
        return typing.range_shares(cloud.reach[cloud.hit], cloud.weight[cloud.hit])
    away = regions.polar(origin, cloud.lat[cloud.hit], cloud.lon[cloud.hit])[:, 0]
    return typing.range_shares(away, cloud.weight[cloud.hit])


def _misfit(fits: Iterable[boostfit.Fit], size: int) -> float:
    """Log units by which the squares of the best fit lie beyond the four-sigma point of chi-square; a generous test, as
    a reported error may be half of the true one. Without any fit nothing that flies was seen.
    """
    allowed = 4.0 * (size + 4.0 * math.sqrt(2.0 * size))
    least = min((f.chi2 for f in fits), default=math.inf)
    return min(max(0.5 * (least - allowed), 0.0), 1e3)


def _burn(last: float, plume: Plume | None) -> boostfit.Burn:
    """The bracket of the end of thrust, from the last infrared detection (s) and the word on the plume."""
    if plume is None:
        return boostfit.Burn(last)
    seen = max(last, plume.last_seen_ns / 1e9)
    return boostfit.Burn(seen, math.inf if plume.gone_ns is None else max(plume.gone_ns / 1e9, seen + 0.1))


def _best_fit(
    model: boostfit.Model, looks: Looks, position: Floats, velocity: Floats, t: float, theta0: float
) -> boostfit.Fit | None:
    """The fit from the first guess, and where that explains little, from steeper and flatter ones as well."""
    best: boostfit.Fit | None = None
    for tilt in (None, 0.05, 0.9):
        place, theta = boostfit.start(model, position, velocity, t, theta0, tilt)
        fit = boostfit.fit(model, looks, place, theta, theta0)
        if fit is not None and (best is None or fit.log_evidence > best.log_evidence):
            best = fit
        if best is not None and best.chi2 < 2.0 * best.size + 10.0:
            break
    return best


def _thinned(detections: Table, infrared: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows for a fit, in time order: all of the infrared looks before any radar ones, evenly thinned to what a fit
    can bear.
    """
    order = np.argsort(detections["t_ns"], kind="stable")
    is_infrared = np.isin(detections["sensor"][order], infrared)
    chosen: list[int] = []
    for rows in (order[is_infrared], order[~is_infrared]):
        room = _MOST_LOOKS - len(chosen)
        if len(rows) > room:
            rows = (
                rows[np.unique(np.linspace(0, len(rows) - 1, room).round().astype(np.int64))]
                if room > 1
                else rows[-room:]
            )
        chosen += rows.tolist()
    kept = np.array(chosen, dtype=np.int64)
    return kept[np.argsort(detections["t_ns"][kept], kind="stable")]


def _unit(lat: Floats, lon: Floats) -> Floats:
    c = np.cos(lat)
    return np.column_stack([c * np.cos(lon), c * np.sin(lon), np.sin(lat)])


def _cap(area: Area) -> tuple[Floats, float]:
    """A spherical cap that holds an area: its axis and the cosine of its radius (with room for what straight edges
    bulge).
    """
    outside = np.array(area.rings[0])
    corners = _unit(outside[:, 1], outside[:, 0])
    axis = corners.sum(axis=0)
    length = float(np.linalg.norm(axis))
    if length < 0.2 * len(corners):
        return np.array([0.0, 0.0, 1.0]), -2.0
    axis /= length
    radius = float(np.arccos(np.clip(corners @ axis, -1.0, 1.0)).max())
    steps = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).max()
    radius += 0.5 * float(steps) + 0.02
    return axis, math.cos(radius) if radius < math.pi else -2.0


def _moments(
    lat: Floats, lon: Floats, t: Floats, w: Floats
) -> tuple[tuple[float, float], Floats, float, float, Floats, Floats]:
    """Mean point, covariance (east-north), mean time, its variance, covariance of place and time, squared distances
    of the points.
    """
    centre = regions.middle(lat, lon, w)
    xy = regions.to_plane(centre, lat, lon)
    cov = (xy * w[:, None]).T @ xy + np.eye(2)
    t_mean = float(w @ t)
    t_var = float(w @ (t - t_mean) ** 2)
    cross = (w * (t - t_mean)) @ xy
    d2 = np.sum(np.linalg.solve(cov, xy.T).T * xy, axis=1)
    return centre, cov, t_mean, t_var, cross, d2


def _quantile(values: Floats, w: Floats, share: float) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(w[order])
    return float(values[order[min(int(np.searchsorted(total, share * total[-1])), len(order) - 1)]])


def _four(cov: Floats) -> tuple[float, float, float, float]:
    return float(cov[0, 0]), float(cov[0, 1]), float(cov[1, 0]), float(cov[1, 1])


def _launch_estimate(points: _Points | None, as_of_ns: int, basis: str) -> Estimate:
    """Mean and covariance of the launch points; the ellipses grow a little where a normal one would hold too few of
    them.
    """
    if points is None:
        return Estimate(as_of_ns, basis, 1.0, "none")
    centre, cov, t, t_var, cross, d2 = _moments(points.lat, points.lon, points.t, points.weight)
    made = []
    for content in regions.CONTENTS:
        normal = regions.normal_radius2(content)
        held = _quantile(d2, points.weight, content)
        made.append(regions.ellipse_region(centre, cov, min(max(normal, held), _LAUNCH_STRETCH**2 * normal)))
    return Estimate(
        as_of_ns,
        basis,
        1.0,
        "gaussian",
        centre,
        _four(cov),
        to_ns(t),
        t_var,
        (float(cross[0]), float(cross[1])),
        made[0],
        made[1],
    )


def _impact_estimate(cloud: Cloud, as_of_ns: int, basis: str, origin: tuple[float, float] | None) -> Estimate:
    """Normal where the cloud is near enough to one, else regions of its density."""
    p = min(max(cloud.p_impact, 0.0), 1.0)
    if p < 1e-3 or int(cloud.hit.sum()) < 20:
        return Estimate(as_of_ns, basis, p, "none")
    lat, lon, t = cloud.lat[cloud.hit], cloud.lon[cloud.hit], cloud.t[cloud.hit]
    w = cloud.weight[cloud.hit] / cloud.weight[cloud.hit].sum()
    centre, cov, t_mean, t_var, cross, d2 = _moments(lat, lon, t, w)
    ratio = [_quantile(d2, w, c) / regions.normal_radius2(c) for c in regions.CONTENTS]
    normal = all(abs(r - 1.0) < 0.15 for r in ratio) and math.sqrt(float(np.linalg.eigvalsh(cov)[1])) < 400e3
    if normal:
        small, large = (regions.ellipse_region(centre, cov, regions.normal_radius2(c)) for c in regions.CONTENTS)
    else:
        small, large = regions.density_regions(lat, lon, w, origin=origin, effective=cloud.effective)
    return Estimate(
        as_of_ns,
        basis,
        p,
        "gaussian" if normal else "polygon",
        centre,
        _four(cov) if normal else None,
        to_ns(t_mean),
        t_var,
        (float(cross[0]), float(cross[1])) if normal else None,
        small,
        large,
    )
