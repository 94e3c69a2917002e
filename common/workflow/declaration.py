"""The one declaration of the workflow: every step, and every parameter that a user may turn.

MLproject (`make mlproject`), the options of each command, what main hands to its steps and what may be
reused are made from these two tables. A new parameter is one line of PARAMETERS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common.learning.learners import LEARNERS
from common.learning.metrics import DEFAULT_METRIC, METRICS
from common.learning.vectorizer import ENCODINGS
from common.search.breeding import CROSSOVERS, MUTATIONS

Value = str | int | float | bool


@dataclass(frozen=True)
class Step:
    """A step of the workflow.

    Attributes:
        inputs: input's name -> (the step before, the artifact of it that is the input).
        outputs: artifacts of a finished run, without which it cannot be reused.
        made_by: the entry point that makes its run; empty: it is an entry point itself.
    """

    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    made_by: str = ""


@dataclass(frozen=True)
class Parameter:
    """What a user may turn.

    Attributes:
        name: as MLproject and make have it; the command's option has hyphens.
        default: None: the user must give it.
        steps: that take it. What both main and a step take, main hands through.
        help: what it is, its unit and its values.
        choices: the values that it may have; empty: any of its default's type.
        least: the smallest number it may be.
        most: the largest.
        is_open: whether `least` and `most` themselves are left out.
    """

    name: str
    default: Value | None
    steps: tuple[str, ...]
    help: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    is_open: bool = False


DATA = {"data": ("load_data", "data")}
FEATURES = {"features": ("featurize", "")}
# What every search leaves.
SEARCHED = (
    *("candidates.csv", "findings.md", "next_grid.yaml", "plots", "best_parameters.json"),
    *("spark-model", "portable-model", "dataset.yaml"),
)

MAIN = "main"
# In the order of the work.
STEPS = {
    "load_data": Step(outputs=("data", "dataset.yaml")),
    "eda": Step(DATA, ("describe.csv", "describe.html", "overview.html")),
    "split": Step(DATA, ("train", "test", "strata.csv", "dataset.yaml")),
    "featurize": Step(
        {"split": ("split", "")},
        ("vectorizer", "train", "test", "feature_names.json", "dataset.yaml"),
    ),
    "train_grid": Step(FEATURES, SEARCHED),
    "train_ga": Step(FEATURES, (*SEARCHED, "generations.csv")),
    "champion": Step(),
    "predict": Step(),
    "report": Step(outputs=("report.html",)),
    MAIN: Step(outputs=("report.html",)),
    "ensemble": Step(
        FEATURES, ("members.csv", "spark-model", "portable-model", "dataset.yaml"), made_by="champion"
    ),
}
SEARCHES = ("train_grid", "train_ga")
# The steps whose runs make up a workflow.
CHAIN = ("load_data", "eda", "split", "featurize", *SEARCHES, "champion")
# Parameters that say where load_data reads: every step takes them for the steps before it, but its own
# result depends on them through its input alone.
ORIGIN = ("dataset", "source")

PROFILES = ("full", "minimal", "none")

# fmt: off
PARAMETERS = (
    # Inputs.
    Parameter("data", "auto", ("eda", "split"), "Data set, by URI; auto: this workflow's load_data."),
    Parameter("split", "auto", ("featurize",), "Split, by URI; auto: this workflow's split."),
    Parameter("features", "auto", SEARCHES, "Features, by URI; auto: this workflow's featurize."),
    Parameter("candidates", "auto", ("champion",),
              "Searches, by URI, separated by commas; auto: all of this workflow."),
    # Where the rows come from.
    Parameter("dataset", "adult", (*CHAIN, MAIN), "Data set: a name under conf/datasets or a YAML file."),
    Parameter("source", "auto", (*CHAIN, MAIN),
              "Rows: path or URI of CSV or Parquet, uci (download), or sample (built in); "
              "auto: the download, or the sample without network."),
    # Exploration.
    Parameter("profile", "full", ("eda", MAIN), "Detail of the profile.", PROFILES),
    Parameter("profile_rows", 100_000, ("eda", MAIN), "Most rows to profile.", least=1),
    # Split and features.
    Parameter("strata", "auto", ("split", MAIN),
              "Columns whose proportions both sides keep, separated by commas; auto: the data set's."),
    Parameter("train_ratio", 0.7, ("split", MAIN),
              "Share of each stratum to train on, between 0 and 1.", least=0, most=1, is_open=True),
    Parameter("encoding", "onehot", ("featurize", MAIN), "Encoding of categories.", ENCODINGS),
    # Search.
    Parameter("learner", "gbt", (*SEARCHES, MAIN), f"Learner: {', '.join(LEARNERS)}."),
    Parameter("grid", "auto", ("train_grid", MAIN),
              "Grid: a name under conf/grids, a YAML file or JSON; auto: the learner's."),
    Parameter("rounds", 1, (MAIN,),
              "Grid searches; each after the first takes the grid that the last suggests.", least=1),
    Parameter("space", "auto", ("train_ga", MAIN),
              "Search space: a name under conf/spaces, a YAML file or JSON; auto: the learner's."),
    Parameter("folds", 5, (*SEARCHES, MAIN), "Folds of the cross-validation.", least=2),
    Parameter("metric", DEFAULT_METRIC, (*SEARCHES, MAIN), "Metric that ranks the candidates.", METRICS),
    Parameter("engine", "auto", (*SEARCHES, MAIN),
              "Engine that fits candidates: boosting or mllib; auto: the fastest that the learner has."),
    Parameter("parallelism", 0, (*SEARCHES, MAIN), "Fits at once; 0: enough to fill all cores.", least=0),
    Parameter("generations", 10, ("train_ga",), "Most generations.", least=1),
    Parameter("generations", 10, (MAIN,), "Most generations; 0: no genetic search.", least=0),
    Parameter("population", 16, ("train_ga", MAIN), "Candidates in a generation.", least=3),
    Parameter("patience", 4, ("train_ga", MAIN),
              "Generations without a better best after which the search stops.", least=1),
    Parameter("crossover", "blxalpha", ("train_ga",), "Crossover, by Optuna's name.", tuple(CROSSOVERS)),
    Parameter("crossover_prob", 0.9, ("train_ga",),
              "Probability that a child has two parents, 0 to 1.", least=0, most=1),
    Parameter("mutation", "polynomial", ("train_ga",),
              "Mutation: to a nearby value (polynomial) or to any (uniform).", tuple(MUTATIONS)),
    Parameter("mutation_prob", 0.0, ("train_ga",),
              "Probability that a parameter mutates, 0 to 1; 0: one over the number of parameters.",
              least=0, most=1),
    Parameter("warm_start", "none", ("train_ga",),
              "Grid search, by URI, whose best candidates start the first generation; "
              "auto: this workflow's."),
    Parameter("seed", 42, ("split", "featurize", *SEARCHES, MAIN),
              "Seed of the split, the folds, the draws and the learner."),
    # Champion.
    Parameter("name", "income", ("champion", MAIN), "Name of the registered model."),
    Parameter("version", "auto", ("champion",),
              "Version to make champion by hand, for example to roll back; auto: none."),
    Parameter("margin", "auto", ("champion", MAIN),
              "Lead over the champion that is required, in the metric's unit; auto: one standard error."),
    Parameter("gates", "none", ("champion", MAIN),
              "What a champion must keep: a name under conf/gates, a YAML file or JSON; none: nothing."),
    Parameter("ensemble", False, ("champion",),
              "Whether a vote of the best model of each learner enters too."),
    # Scoring and report.
    Parameter("input", None, ("predict",), "Records: a CSV or Parquet file or folder, by path or URI."),
    Parameter("output", None, ("predict",), "Folder to write: CSV if it ends in .csv, else Parquet."),
    Parameter("model", "models:/income@champion", ("predict",), "Portable model, by URI or path."),
    Parameter("encoding", "auto", ("predict",),
              "Character encoding of CSV, by Python's name; auto: the data set's."),
    Parameter("overwrite", False, ("predict",), "Whether to replace an output that exists."),
    Parameter("workflow", "auto", ("report",),
              "Run of main or of a step, by id or URI; auto: the workflow that ended last."),
    Parameter("use_cache", True, (MAIN,), "Whether to reuse steps that have already run."),
)
# fmt: on


def parameters_of(step: str) -> list[Parameter]:
    """Return the parameters of an entry point, in the order of the table."""
    return [parameter for parameter in PARAMETERS if step in parameter.steps]


def entry_defaults(step: str) -> dict[str, str]:
    """Return an entry point's parameters that have a default, with these as MLproject writes them."""
    return {p.name: as_text(p.default) for p in parameters_of(step) if p.default is not None}


def entry_points() -> list[str]:
    """Return the names of all entry points."""
    return [name for name, step in STEPS.items() if not step.made_by]


def handed_to(step: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return those of some parameters that a step takes too."""
    return {p.name: given[p.name] for p in parameters_of(step) if p.name in given}


def outputs(step: str, parameters: Mapping[str, str]) -> Sequence[str]:
    """Return the artifacts that a step leaves when it is given these parameters."""
    without_profile = step == "eda" and parameters.get("profile") == "none"
    left_out = "overview.html" if without_profile else None
    return [name for name in STEPS[step].outputs if name != left_out]


def as_text(value: object) -> str:
    """Return a parameter's value as MLproject writes it, so that a step's key is the same either way."""
    return str(value).lower() if isinstance(value, bool) else str(value)
