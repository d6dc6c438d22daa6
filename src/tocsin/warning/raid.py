"""All open warnings of a nation as one picture: how many, how fast, where to, when the first and when the last.

Counts are of warnings, each weighed by the probability that it is of something real and no piece of another; the number
of real objects then follows the distribution of a sum of independent yes-or-no draws (Poisson's binomial distribution).
The first and last impact are the least and the greatest of normal times. Beside them stands how many objects each
sensor, and each partner, has a part in: counts that should be near each other and are not are the first sign that
something is wrong with the picture and not with the world.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tocsin.records.shapes import RaidPicture, WarningVersion

_SHARE = 0.9  # of probability between ``least`` and ``most``
_FIRST, _LAST = 0.16, 0.84


def picture(t_ns: int, versions: Mapping[str, WarningVersion]) -> RaidPicture | None:
    """What a nation's newest versions (by uid) say together; None where nothing is open."""
    open_ = [v for _, v in sorted(versions.items()) if v.status not in ("cancelled", "closed")]
    if not open_:
        return None
    sure = [min(max(v.p_real * (1.0 - v.families.get("debris", 0.0)), 0.0), 1.0) for v in open_]
    counts = _distribution(sure)
    least, most = _between(counts)
    launches = sorted(v.launch.t_ns for v in open_ if v.launch.t_ns is not None)
    rate = None
    if len(launches) > 1 and launches[-1] > launches[0]:
        rate = (len(launches) - 1) / ((launches[-1] - launches[0]) / 60e9)
    impacts = [
        (v.impact.t_ns, math.sqrt(max(v.impact.t_var or 0.0, 0.0))) for v in open_ if v.impact.t_ns is not None
    ]
    first, last = (_extreme(impacts, high) for high in (False, True)) if impacts else (None, None)
    areas: dict[str, float] = {}
    for v, p in zip(open_, sure, strict=True):
        for risk in v.areas:
            areas[risk.area] = areas.get(risk.area, 0.0) + p * risk.p_impact
    seen: dict[str, int] = {}
    for v in open_:
        for name in dict.fromkeys(e.sensor for e in v.evidence if e.state == "agrees"):
            seen[name] = seen.get(name, 0) + 1
        if v.partner is not None:
            who = f"partner {v.partner.partition('/')[0]}"
            seen[who] = seen.get(who, 0) + 1
    return RaidPicture(
        t_ns=t_ns, open=len(open_), confirmed=sum(v.confirmed for v in open_), expected=sum(sure), least=least,
        most=most, rate_per_min=rate, first_impact_ns=first[0] if first else None,
        first_sigma_s=first[1] if first else None, last_impact_ns=last[0] if last else None,
        last_sigma_s=last[1] if last else None, areas={k: round(p, 3) for k, p in sorted(areas.items()) if p >= 0.005},
        counts=dict(sorted(seen.items())),
    )  # fmt: skip


def changed(new: RaidPicture, old: RaidPicture | None) -> bool:
    """Whether a picture says something that the one before did not: other counts, areas, or times beyond a minute."""
    if old is None:
        return True
    if (new.open, new.confirmed, new.least, new.most, new.counts) != (
        old.open, old.confirmed, old.least, old.most, old.counts,
    ):  # fmt: skip
        return True
    if any(abs(new.areas.get(k, 0.0) - old.areas.get(k, 0.0)) >= 0.5 for k in {*new.areas, *old.areas}):
        return True
    for a, b in ((new.first_impact_ns, old.first_impact_ns), (new.last_impact_ns, old.last_impact_ns)):
        if (a is None) != (b is None) or (a is not None and b is not None and abs(a - b) > 60_000_000_000):
            return True
    return False


def _distribution(p: Sequence[float]) -> list[float]:
    """Probabilities of 0, 1, ... successes of independent draws with probabilities ``p``."""
    out = [1.0]
    for q in p:
        out = [
            (out[k] if k < len(out) else 0.0) * (1.0 - q) + (out[k - 1] * q if k > 0 else 0.0)
            for k in range(len(out) + 1)
        ]
    return out


def _between(counts: Sequence[float]) -> tuple[int, int]:
    """Counts between which ``_SHARE`` of the probability lies, as much left out below as above at most."""
    tail = 0.5 * (1.0 - _SHARE)
    below, low = 0.0, 0
    while below + counts[low] <= tail:
        below += counts[low]
        low += 1
    above, high = 0.0, len(counts) - 1
    while above + counts[high] <= tail:
        above += counts[high]
        high -= 1
    return low, high


def _extreme(times: Sequence[tuple[int, float]], high: bool) -> tuple[int, float]:
    """Median (ns) and half the width of the middle 68 % (s) of the least (or greatest) of independent normal times."""
    zero = times[0][0]
    given = [((t - zero) / 1e9, max(s, 1e-3)) for t, s in times]

    def reached(t: float) -> float:
        """Probability that the extreme has come by ``t``."""
        product = 1.0
        for mean, sigma in given:
            cdf = 0.5 * math.erfc((mean - t) / (sigma * math.sqrt(2.0)))
            product *= cdf if high else 1.0 - cdf
        return product if high else 1.0 - product

    def quantile(share: float) -> float:
        a = min(mean - 9.0 * sigma for mean, sigma in given)
        b = max(mean + 9.0 * sigma for mean, sigma in given)
        for _ in range(60):
            middle = 0.5 * (a + b)
            a, b = (middle, b) if reached(middle) < share else (a, middle)
        return 0.5 * (a + b)

    return zero + round(quantile(0.5) * 1e9), 0.5 * (quantile(_LAST) - quantile(_FIRST))
