"""SGP4 in bulk: the published verification vectors, streaming, decay."""

from pathlib import Path

import numpy as np
import pytest

from tocsin.dynamics.element_files import checksum
from tocsin.dynamics.elements import ElementSets, PropagationFailed

DATA = Path(__file__).parents[2] / "validation" / "data" / "sgp4"


def verification():
    lines = DATA.joinpath("SGP4-VER.TLE").read_text(encoding="utf-8").splitlines()
    # three sets carry wrong checksums on purpose; what stands after column 69 is no part of an element set
    lines = [line[:68] + str(checksum(line)) if line[:2] in ("1 ", "2 ") else line for line in lines]
    sets = ElementSets.read("\n".join(lines), history=True)
    blocks = []
    for line in DATA.joinpath("tcppver.out").read_text(encoding="utf-8").splitlines():
        if line.strip().endswith("xx"):
            blocks.append([])
        else:
            blocks[-1].append([float(x) for x in line.split()[:7]])
    return sets, [np.array(b) for b in blocks]


def test_the_verification_vectors():
    sets, blocks = verification()
    assert len(sets) == len(blocks) == 33
    compared = 0
    for k, theirs in enumerate(blocks):
        times = sets.epoch_ns[k] + np.rint(theirs[:, 0] * 60e9).astype(np.int64)
        states, codes = sets.coded_states(times)
        if sets.numbers[k] == 33334:  # a mean motion that SGP4 refuses; what the file has there is a leftover
            assert codes[k].tolist() == [3]
            continue
        assert not codes[k].any()
        assert np.abs(states[k, :, :3] / 1e3 - theirs[:, 1:4]).max() < 1e-6  # km
        assert np.abs(states[k, :, 3:] / 1e3 - theirs[:, 4:7]).max() < 1e-9
        compared += len(theirs)
    assert compared == 666


def test_the_file_as_it_is_has_wrong_checksums():
    lines = DATA.joinpath("SGP4-VER.TLE").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line[:69] for line in lines if line[:2] in ("1 ", "2 "))
    with pytest.raises(ValueError, match="checksum") as caught:
        ElementSets.read(text, history=True)
    assert len(caught.value.problems) == 5


def decayed():
    """Satellite 28872 and its verification epoch: it decays within the day."""
    sets, _ = verification()
    return ElementSets([s for s in sets.sets if s.number in (5, 28872)])


def test_decay_is_an_error_with_index_and_time():
    sets = decayed()
    times = sets.epoch_ns[1] + np.array([0, 50, 60]) * 60_000_000_000
    said = r"index 1: satellite 28872 has no state at 2005-11-29T01:28:.* it has decayed \(SGP4 error 6\)"
    with pytest.raises(PropagationFailed, match=said) as caught:
        sets.states(times)
    assert (caught.value.index, caught.value.code) == (1, 6)
    assert np.isfinite(sets.states(times[:2])).all()


def test_codes_mark_what_is_missing():
    sets = decayed()
    times = sets.epoch_ns[1] + np.array([0, 50, 60]) * 60_000_000_000
    states, codes = sets.coded_states(times)
    assert codes.tolist() == [[0, 0, 0], [0, 0, 6]]
    assert np.array_equal(np.isnan(states).any(axis=2), codes != 0)


def test_the_stream_is_the_same_in_blocks():
    sets, _ = verification()
    sets = ElementSets([s for s in sets.sets if s.number in (5, 4632, 8195, 28626)])
    times = sets.epoch_ns.max() + np.arange(100) * 60_000_000_000
    whole, codes = sets.coded_states(times)
    blocks = list(sets.stream(times, 33))
    assert [b.first for b in blocks] == [0, 33, 66, 99]
    assert np.array_equal(np.concatenate([b.states for b in blocks], axis=1), whole)
    assert np.array_equal(np.concatenate([b.codes for b in blocks], axis=1), codes)
    # a satellite's bits do not depend on its neighbours
    alone = ElementSets(sets.sets[2:3]).states(times)
    assert np.array_equal(alone[0], whole[2])


def test_ages():
    sets, _ = verification()
    assert sets.age_s(sets.epoch_ns[:1] + 5_000_000_000)[0, 0] == 5.0


def test_times_must_be_whole():
    sets = decayed()
    with pytest.raises(ValueError, match="whole ns in one dimension, found float64"):
        sets.states([0.5])
    with pytest.raises(ValueError, match="at least one time, found 0"):
        next(sets.stream([0], 0))
