"""Settings of a genetic search. This module does not import Optuna, which implements the search."""

from dataclasses import dataclass

# Name -> class in optuna.samplers.nsgaii.
CROSSOVERS = {
    "uniform": "UniformCrossover",
    "blxalpha": "BLXAlphaCrossover",
    "sbx": "SBXCrossover",
    "vsbx": "VSBXCrossover",
    "undx": "UNDXCrossover",
    "spx": "SPXCrossover",
}
# Name -> class in optuna.samplers.nsgaii; None is the sampler's default, uniform mutation.
MUTATIONS = {"polynomial": "PolynomialMutation", "uniform": None}


@dataclass(frozen=True)
class Breeding:
    """How a generation is bred from the previous one, and when a search stops.

    Attributes:
        population: Number of candidates per generation, at least 3.
        crossover: One of CROSSOVERS; for categorical parameters it is always uniform.
        crossover_prob: Probability that a child has two parents instead of copying one, in [0, 1].
        mutation: One of MUTATIONS, to a nearby value or to any value; categorical parameters are always
            redrawn.
        mutation_prob: Probability that each parameter mutates, in [0, 1]; None for one over the number of
            parameters.
        generations: Maximum number of generations.
        patience: Number of generations without improvement after which the search stops.
    """

    population: int = 16
    crossover: str = "blxalpha"
    crossover_prob: float = 0.9
    mutation: str = "polynomial"
    mutation_prob: float | None = None
    generations: int = 10
    patience: int = 4
