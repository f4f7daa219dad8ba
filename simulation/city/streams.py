"""Random numbers by name, and noise with memory whose autocorrelation does not depend on the draw."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that one more draw here changes nothing there."""
    return np.random.default_rng([seed, *(zlib.crc32(name.encode()) for name in names)])


def memory(rng: np.random.Generator, steps: int, count: int, terms: Sequence[tuple[float, float]]) -> Floats:
    """Noise of unit variance, steps × count, with autocorrelation sum(share · exp(-lag / scale)).

    `terms` are (share of the variance, scale in steps); scale 0 is white noise. The power of each frequency is fixed
    and only its phase is drawn, so that every draw, however short, has this autocorrelation (around a circle).
    """
    length = _smooth(steps)
    lag = np.minimum(np.arange(length), length - np.arange(length))
    shape = sum(
        (share * (np.exp(-lag / scale) if scale else (lag == 0).astype(float)) for share, scale in terms),
        start=np.zeros(length),
    )
    power = np.maximum(np.fft.rfft(shape).real, 0)
    power[0] = 0
    phases = rng.uniform(0, 2 * np.pi, (count, len(power)))
    waves = np.empty(phases.shape, np.complex128)
    waves.real, waves.imag = np.cos(phases), np.sin(phases)
    noise: Floats = np.fft.irfft(waves * np.sqrt(power), n=length, axis=1)[:, :steps]
    noise -= noise.mean(axis=1, keepdims=True)
    noise /= noise.std(axis=1, keepdims=True)
    return np.ascontiguousarray(noise.T)


def _smooth(least: int) -> int:
    """The next length whose only prime factors are 2, 3 and 5: others make the transform slow."""
    length = least
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1


def shared_memory(
    rng: np.random.Generator,
    positions: Floats,
    steps: int,
    terms: Sequence[tuple[float, float]],
    reach: float,
    own: float,
) -> Floats:
    """Noise with memory at places, alike where they are near; unit variance, steps × places.

    `positions` are places × 2 in km, `reach` the distance in km over which likeness falls to 1/e, `own` the share of
    the variance that belongs to a place alone.
    """
    distance = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    root = np.linalg.cholesky(np.exp(-distance / reach) + 1e-9 * np.eye(len(positions)))
    common = memory(rng, steps, len(positions), terms) @ root.T
    alone = memory(rng, steps, len(positions), terms)
    mixed: Floats = np.sqrt(1 - own) * common + np.sqrt(own) * alone
    return (mixed - mixed.mean(axis=0)) / mixed.std(axis=0)
