"""A random sample that anybody can draw again: how many, and which, from a seed."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class SampleRule:
    """What a period asks for: a share of each draw, and a number for the area in all."""

    percent: int
    least: int
    is_assumed: bool = False
    """Whether it is the default that nobody has confirmed for this period."""


def sample_size(eligible: int, rule: SampleRule, sampled_before: int = 0) -> int:
    """Return how many of the eligible are drawn; of any at all at least one.

    >>> sample_size(30, SampleRule(percent=5, least=2))
    2
    >>> sample_size(100, SampleRule(percent=5, least=2))
    5
    >>> sample_size(3, SampleRule(percent=5, least=2), sampled_before=2)
    1
    """
    share = -(-eligible * rule.percent // 100)
    return min(eligible, max(share, rule.least - sampled_before))


def shuffled(codes: Iterable[str], seed: int) -> list[str]:
    """Return the codes in the order of SHA-256 over `seed:code`: the first ones are the sample.

    >>> shuffled(["a", "b", "c"], 1) == shuffled(["c", "b", "a"], 1)
    True
    """
    return sorted(codes, key=lambda code: sha256(f"{seed}:{code}".encode()).hexdigest())
