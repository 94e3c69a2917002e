"""How a genetic search breeds a generation from the one before; without Optuna, which does it."""

from dataclasses import dataclass

# Name -> class of optuna.samplers.nsgaii.
CROSSOVERS = {
    "uniform": "UniformCrossover",
    "blxalpha": "BLXAlphaCrossover",
    "sbx": "SBXCrossover",
    "vsbx": "VSBXCrossover",
    "undx": "UNDXCrossover",
    "spx": "SPXCrossover",
}
# The same; uniform is what the sampler does without one.
MUTATIONS = {"polynomial": "PolynomialMutation", "uniform": None}


@dataclass(frozen=True)
class Breeding:
    """How a generation comes from the one before.

    Attributes:
        population: candidates of a generation, at least 3.
        crossover: one of CROSSOVERS; choices are always exchanged uniformly.
        crossover_prob: how likely a child has two parents instead of being one's copy, 0 to 1.
        mutation: one of MUTATIONS: to a value nearby, or anywhere; choices are always drawn anew.
        mutation_prob: how likely each parameter mutates, 0 to 1; None: one over their number.
        generations: at the most.
        patience: the end comes after so many generations without a better best.
    """

    population: int = 16
    crossover: str = "blxalpha"
    crossover_prob: float = 0.9
    mutation: str = "polynomial"
    mutation_prob: float | None = None
    generations: int = 10
    patience: int = 4
