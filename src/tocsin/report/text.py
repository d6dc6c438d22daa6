"""Words and numbers of the page: escaping, and how times, distances and probabilities are written.

Everything a scenario may choose (names, titles, texts) reaches the page through ``esc`` or ``script_json`` and in no
other way.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Sequence
from typing import Any

from tocsin.earth.clock import format_utc

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
NBSP = "\u00a0"  # a number and its unit stay together


def esc(value: Any) -> str:
    """Text for HTML and SVG, in content and in quoted attributes alike.

    Characters that may not stand in a page (controls) or that reorder what a reader sees (bidirectional overrides)
    are shown as the replacement character.
    """
    out = []
    for ch in str(value):
        if ch in _HTML:
            out.append(_HTML[ch])
        elif _hostile(ch):
            out.append("�")
        else:
            out.append(ch)
    return "".join(out)


def _hostile(ch: str) -> bool:
    if ch in "\t\n\r":
        return False
    kind = unicodedata.category(ch)
    return (
        kind in ("Cc", "Cs")
        or ch in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        or ord(ch) & 0xFFFE == 0xFFFE
    )


def clean(value: Any) -> str:
    """The same replacement for text that goes into JSON."""
    return "".join("�" if _hostile(ch) else ch for ch in str(value))


def script_json(data: Any) -> str:
    """JSON that can stand inside a ``<script>`` element: no ``<``, ``>``, ``&``, no line separators that end a line
    of JavaScript.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for ch in "<>&\u2028\u2029":
        text = text.replace(ch, f"\\u{ord(ch):04x}")
    return text


def clock(seconds: float | None) -> str:
    """Minutes and seconds: "3:05", "−0:12", "1:02:00" from an hour on; an en dash for nothing."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    whole = round(abs(seconds))
    sign = "−" if seconds < 0 and whole else ""
    if whole >= 3600:
        return f"{sign}{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    return f"{sign}{whole // 60}:{whole % 60:02d}"


def t_plus(seconds: float | None) -> str:
    """A time after launch: "T+3:05"."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    return f"T−{clock(-seconds)}" if seconds < -0.5 else f"T+{clock(max(seconds, 0.0))}"


def span(seconds: float) -> str:
    """A duration in words: "42 s", "3 min 5 s", "14 min"."""
    whole = round(abs(seconds))
    if whole < 90:
        return f"{whole}{NBSP}s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}{NBSP}min{NBSP}{rest}{NBSP}s" if rest else f"{minutes}{NBSP}min"


def percent(p: float | None) -> str:
    """A probability: "<0.1 %", "0.4 %", "12 %", ">99 %"."""
    if p is None or not math.isfinite(p):
        return "–"
    q = 100.0 * p
    if q == 0:
        return f"0{NBSP}%"
    if q < 0.1:
        return f"<0.1{NBSP}%"
    if q < 9.95:
        return f"{q:.1f}{NBSP}%"
    return f">99{NBSP}%" if 99.0 < q < 100.0 else f"{q:.0f}{NBSP}%"


def number(value: float | None, digits: int = 0) -> str:
    """A number with thin spaces between thousands; an en dash for nothing."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    return f"{value:,.{digits}f}".replace(",", "\u202f")


def km(value: float | None) -> str:
    """Kilometres, two figures where they are few."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{number(value, 0 if abs(value) >= 10 else 1)}{NBSP}km"


def place(lat_deg: float | None, lon_deg: float | None) -> str:
    """Latitude and longitude: "39.2° N, 125.7° E"."""
    if lat_deg is None or lon_deg is None or not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        return "–"
    return f"{abs(lat_deg):.1f}° {'N' if lat_deg >= 0 else 'S'}, {abs(lon_deg):.1f}° {'E' if lon_deg >= 0 else 'W'}"


def utc(unix_ns: int, t: float, digits: int = 0) -> str:
    """Time of day, UTC, ``t`` s after the epoch."""
    return format_utc(unix_ns + round(t * 1e9), digits)[11:-1]


def listed(words: Sequence[str]) -> str:
    """Words in a row: "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sentence(text: str) -> str:
    """First letter large, a stop at the end."""
    return text if not text else text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def possessive(name: str) -> str:
    """The genitive of a name."""
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def the(name: str) -> str:
    """The article that a few names of states want."""
    return f"the {name}" if name.startswith(("United ", "Netherlands", "Philippines")) else name
