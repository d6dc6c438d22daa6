"""How sure: the probability that a warning is of something that flies, and what else it might be.

Bayes' rule over causes. Something real was launched, at a stated rate. Or what a sensor shows is its own doing: glint,
a repeated plume, an echo that is no object. Such a false source is *one event of one sensor*, however many detections
it makes and however long it lasts, so that repetition alone makes nothing certain: of the rate of such events, those
count that last as long as what was seen (a part of them dies away, a part stays). Or the fault sits behind the sensors,
in the centre that puts them together; or in a partner, or on the way from it; or chance has strung together detections
that have nothing to do with each other, which the tracker's own odds tell.

Each cause says how likely it is that every sensor says what it says. A sensor that agrees with another's false source
does so by chance, or because the same thing deceives both, which is likelier for two of a kind than for two kinds. A
sensor that was silent though it would have seen the object speaks against something real, by its declared performance,
but never more than the share of beliefs that are wrong altogether allows: repeated silence is no certainty either.

The rates are priors: they stand in the rule (``specs.Credence``) with where they come from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tocsin.records.shapes import Evidence, WarningVersion
from tocsin.scenario.specs import Credence

REAL, CHANCE, CENTRE = "real", "chance", "centre"
WORD = "word"  # kind of a partner's bare word, which names no sensor that agrees
RELAPSE_S = 3600.0  # a sensor that has given a false alarm is watched for another this long
_HOUR_YEARS = 1.0 / 8766.0
_MOST_WEIGHT = 99.0  # so that nothing infinite is ever written down


@dataclass(frozen=True)
class Said:
    """What one sensor says of one event.

    ``kind``: "infrared", "radar", ... (``WORD``: a partner that does not say which sensors); ``state`` as in
    ``Evidence``; ``owner``: the nation through which it came, "" for one's own; ``log_missed``: log of the probability
    of its silence since it last saw the object, were the object what it is taken to be (0: it has not been silent, or
    could not look); ``span_s``: time between its first and its last detection; ``unwell``: factor on its usual rate of
    false events, for what is known of its state now.
    """

    sensor: str
    kind: str
    state: str
    owner: str = ""
    log_missed: float = 0.0
    span_s: float = 0.0
    unwell: float = 1.0


@dataclass(frozen=True)
class Belief:
    """``p_real``; ``causes``: what it may be, with probabilities (sum 1): ``REAL``, ``CHANCE``, ``CENTRE``,
    "sensor:ID", "channel:NATION"; ``weights``: for each item, in order, log10 of the odds that it adds for something
    real (negative: against).
    """

    p_real: float
    causes: dict[str, float]
    weights: tuple[float, ...]

    @property
    def otherwise(self) -> str:
        """The most probable cause that is nothing real."""
        others = {k: v for k, v in self.causes.items() if k != REAL}
        return max(sorted(others), key=lambda k: others[k]) if others else CHANCE


def believe(
    said: Sequence[Said], rates: Credence, existence: float | None = None, misfit: float = 0.0, tracked: bool = True
) -> Belief:
    """What to believe of an event from what all sensors say of it.

    ``existence``: the tracker's probability that its detections have one source (None: no track of one's own);
    ``misfit``: how far (log units, 0 or more) the detections are from any believed flight; ``tracked``: whether one's
    own centre shows something at all.
    """
    logs = _logs(said, rates, existence, misfit, tracked)
    causes = _shares(logs)
    weights = []
    for k in range(len(said)):
        without = _shares(_logs([*said[:k], *said[k + 1 :]], rates, existence, misfit, tracked))
        weights.append(_odds10(causes[REAL]) - _odds10(without[REAL]))
    limited = tuple(min(max(w, -_MOST_WEIGHT), _MOST_WEIGHT) for w in weights)
    return Belief(min(max(causes[REAL], 0.0), 1.0), causes, limited)


def level(p_real: float, rates: Credence) -> str:
    """ "no", "low", "medium" or "high", as the open literature has it, by the thresholds of the rule."""
    if p_real < rates.low:
        return "no"
    return "low" if p_real < rates.medium else "medium" if p_real < rates.high else "high"


def relapsing(false_alarms: int, kind: str, rates: Credence) -> float:
    """Factor on a sensor's usual rate of false events after ``false_alarms`` of its own within ``RELAPSE_S``.

    False alarms come in clusters, as one cause makes several: each makes another one within the hour with probability
    ``rates.relapse`` (a self-exciting process: Hawkes, Biometrika 58, 1971, with an even kernel).
    """
    usual = rate_of(kind, rates)
    return 1.0 + false_alarms * rates.relapse / _HOUR_YEARS / max(usual, 1e-9)


def rate_of(kind: str, rates: Credence) -> float:
    """False events a year of one sensor of a kind."""
    if kind == "infrared":
        return rates.false_infrared
    return rates.false_over_horizon if kind == "over-horizon" else rates.false_radar


def heard(theirs: WarningVersion, known: frozenset[str] = frozenset()) -> tuple[Said, ...]:
    """What a partner's warning says, sensor by sensor, but those of ``known``: its numbers are checked, not trusted.

    Its own probability counts only where it names no sensor that agrees: the rest would count the same looks twice.
    """
    owner = theirs.uid.partition("/")[0]
    items = [e for e in theirs.evidence if e.sensor not in known and e.state in ("agrees", "disagrees")]
    made = [_item(e, owner) for e in items]
    if theirs.status not in ("cancelled",) and not any(e.state == "agrees" for e in theirs.evidence):
        p = theirs.p_real if 0.0 <= theirs.p_real <= 1.0 else 0.5  # also what is not a number
        made.append(Said(f"{owner}'s word", WORD, "agrees", owner, unwell=max(1.0 - p, 1e-6) / max(p, 1e-6)))
    return tuple(made)


def _item(item: Evidence, owner: str) -> Said:
    # how long its sensor saw it, a partner does not say: taken to be as lasting as false sources can be
    missed = math.log(0.01) if item.state == "disagrees" else 0.0
    return Said(item.sensor, item.sensor_kind, item.state, owner, missed, math.inf)


def _logs(
    said: Sequence[Said], rates: Credence, existence: float | None, misfit: float, tracked: bool
) -> dict[str, float]:
    """Log of each cause's prior times the probability of all that is said."""
    agree = [s for s in said if s.state == "agrees"]
    own = [s for s in agree if not s.owner]
    out = {REAL: math.log(rates.launches) + math.log(max(rates.misbelief, math.exp(-max(misfit, 0.0))))}
    out[REAL] += _silence(said, rates)
    prior = rates.launches
    for source in agree:
        usual = rates.launches if source.kind == WORD else rate_of(source.kind, rates)
        rate = usual * source.unwell
        if not source.owner:
            prior += rate
        lasts = rates.lasting_share + (1.0 - rates.lasting_share) * math.exp(-source.span_s / rates.lasting_s)
        log = math.log(max(rate, 1e-12)) + math.log(lasts)
        for s in agree:
            if s is not source:
                log += math.log(rates.same_kind if s.kind == source.kind else rates.other_kind)
        key = f"sensor:{source.sensor}"
        out[key] = _add(out.get(key, -math.inf), log)
    if tracked and existence is not None:
        log = math.log(rates.fault) + max(len(own) - 1, 0) * math.log(rates.fault_shows)
        out[CENTRE] = log + (len(agree) - len(own)) * math.log(rates.other_kind)
        odds = (1.0 - min(max(existence, 1e-9), 1.0 - 1e-9)) / min(max(existence, 1e-9), 1.0 - 1e-9)
        others = {s.owner for s in agree if s.owner}  # who would have to agree with chance by chance
        out[CHANCE] = math.log(prior) + math.log(odds) + len(others) * math.log(rates.other_kind)
    for owner in sorted({s.owner for s in agree if s.owner}):
        elsewhere = sum(1 for s in agree if s.owner != owner)
        out[f"channel:{owner}"] = math.log(rates.channel) + elsewhere * math.log(rates.other_kind)
    if len(out) == 1:  # nobody says anything: a launch, or the centre's own doing
        out[CENTRE] = math.log(rates.fault)
    return out


def _silence(said: Sequence[Said], rates: Credence) -> float:
    """Log of the probability of all silences, were there something real.

    That an object is not what it is taken to be is one cause of the silence of all sensors of a kind: the further ones
    say less, and so does one that saw it and has lost it.
    """
    log = 0.0
    for kind in sorted({s.kind for s in said}):
        silent = [s for s in said if s.kind == kind and s.log_missed < 0.0]
        for k, s in enumerate(sorted(silent, key=lambda s: (s.state == "agrees", s.log_missed))):
            excused = rates.silent_again if k > 0 or s.state == "agrees" else rates.misbelief
            log += math.log(excused + (1.0 - excused) * math.exp(s.log_missed))
    return log


def _add(a: float, b: float) -> float:
    top = max(a, b)
    return top if math.isinf(top) else top + math.log(math.exp(a - top) + math.exp(b - top))


def _shares(logs: dict[str, float]) -> dict[str, float]:
    top = max(logs.values())
    parts = {k: math.exp(v - top) for k, v in logs.items()}
    total = sum(parts.values())
    return {k: v / total for k, v in parts.items()}


def _odds10(p: float) -> float:
    return math.log10(max(p, 1e-12)) - math.log10(max(1.0 - p, 1e-12))
