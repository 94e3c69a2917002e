"""The declaration of the workflow: every step, and every parameter that a user can set.

MLproject (`make mlproject`), the options of each command, the parameters that main passes to its steps
and the conditions of reuse all derive from these two tables. A new parameter is one entry in PARAMETERS.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from common import CHAMPION_URI, DATASET, PROJECT
from common.data.target import TASK_NAMES
from common.learning.fittings import REFIT_AUTO, REFIT_MLLIB
from common.learning.learners import DEFAULT, LEARNERS
from common.learning.prepare import IMPUTE, MISSING
from common.learning.tasks import ALL_METRICS, AUTO
from common.learning.vectorizer import ENCODINGS
from common.search.breeding import CROSSOVERS, MUTATIONS

Value = str | int | float | bool


@dataclass(frozen=True)
class Step:
    """A step of the workflow.

    Attributes:
        inputs: Name of an input -> (the step that produces it, the artifact of that step).
        outputs: Artifacts that a finished run must have to be reused.
        made_by: The entry point that creates its run; empty if the step is an entry point itself.
    """

    inputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    made_by: str = ""


@dataclass(frozen=True)
class Parameter:
    """A parameter that a user can set.

    Attributes:
        name: Its name in MLproject and make; the command's option has hyphens instead of underscores.
        default: The default value; None if the parameter is required.
        steps: The steps that take it. If main is one of them, it passes the value on to the others.
        help: The help text, with unit and values.
        choices: The permitted values; empty if any value of the default's type is permitted.
        least: The minimum; None if there is none.
        most: The maximum; None if there is none but that of a Java integer.
        is_open: Whether `least` and `most` themselves are excluded.
    """

    name: str
    default: Value | None
    steps: tuple[str, ...]
    help: str
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    is_open: bool = False

    @property
    def flag(self) -> str:
        """The command's option."""
        return f"--{self.name.replace('_', '-')}"


DATA = {"data": ("load_data", "data")}
FEATURES = {"features": ("featurize", "")}
# The outputs of every search.
SEARCHED = (
    *("candidates.csv", "findings.md", "next_grid.yaml", "plots", "best_parameters.json"),
    *("spark-model", "portable-model", "dataset.yaml"),
)

MAIN, DESCRIBE = "main", "describe_table"
# In the order in which they run.
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
    DESCRIBE: Step(),
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
# These say what load_data reads. Every step takes them and passes them to the steps before it, but its
# own result depends on them only through its input.
ORIGIN = ("dataset", "source", "label", "task", "positive")

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
    Parameter("dataset", AUTO, (*CHAIN, DESCRIBE, MAIN),
              "Data set: a name under conf/datasets or a YAML file; auto: what the file of source shows "
              f"if label is given, else {DATASET}."),
    Parameter("source", "auto", (*CHAIN, DESCRIBE, MAIN),
              "Rows: path or URI of CSV or Parquet, uci (download), or sample (built in); "
              "auto: the download, or the sample without network."),
    Parameter("label", AUTO, (*CHAIN, DESCRIBE, MAIN),
              "Column to predict; auto: the data set's."),
    Parameter("task", AUTO, (*CHAIN, DESCRIBE, MAIN),
              "What is predicted: one of two labels, one of several, or a number; auto: as the label's "
              "values are.", (AUTO, *TASK_NAMES)),
    Parameter("positive", AUTO, (*CHAIN, DESCRIBE, MAIN),
              "Of two labels, the one whose probability is predicted; auto: the data set's."),
    # Exploration.
    Parameter("profile", "full", ("eda", MAIN), "Detail of the profile.", PROFILES),
    Parameter("profile_rows", 100_000, ("eda", MAIN), "Maximum number of rows to profile.", least=1),
    Parameter("profile_columns", 100, ("eda", MAIN), "Maximum number of columns to profile.", least=2),
    # Split and features.
    Parameter("strata", "auto", ("split", MAIN),
              "Columns whose proportions both sides keep, separated by commas; auto: the data set's."),
    Parameter("train_ratio", 0.7, ("split", MAIN),
              "Share of each stratum to train on, between 0 and 1.", least=0, most=1, is_open=True),
    Parameter("encoding", "onehot", ("featurize", MAIN), "Encoding of categories.", ENCODINGS),
    Parameter("missing", IMPUTE, ("featurize", MAIN),
              "Missing numbers: the median and a feature that says so (impute), or left to xgboost "
              "(native).", MISSING),
    # Search.
    Parameter("learner", DEFAULT, (*SEARCHES, MAIN),
              f"Learner: {', '.join(LEARNERS)}; default: gbt, or xgboost for several labels; auto: all "
              "that have the task race."),
    Parameter("grid", "auto", ("train_grid", MAIN),
              "Grid: a name under conf/grids, a YAML file or its runs:/ URI, or JSON; auto: the "
              "learner's."),
    Parameter("rounds", 1, (MAIN,),
              "Number of grid searches; each one after the first uses the grid that the last suggested.",
              least=1),
    Parameter("space", "auto", ("train_ga", MAIN),
              "Search space: a name under conf/spaces, a YAML file or its runs:/ URI, or JSON; auto: the "
              "learner's."),
    Parameter("folds", 5, (*SEARCHES, MAIN), "Number of cross-validation folds.", least=2),
    Parameter("metric", AUTO, (*SEARCHES, MAIN),
              "Metric that ranks the candidates; auto: roc_auc for two labels, log_loss for several, "
              "rmse for a number.", (AUTO, *ALL_METRICS)),
    Parameter("threshold", AUTO, (*SEARCHES, MAIN),
              "Probability above which the positive of two labels is predicted; auto: the best for the "
              "metric over the folds, or for f1 if the metric needs none. "
              "Three digits, or five below 0.001 and above 0.999."),
    Parameter("balance", False, (*SEARCHES, MAIN),
              "Whether labels weigh the same in total, however many rows each has."),
    Parameter("engine", "auto", (*SEARCHES, MAIN),
              "Engine that fits the candidates: boosting or mllib; auto: the fastest that can be used."),
    Parameter("refit", REFIT_AUTO, (*SEARCHES, MAIN),
              "Who fits the winner of gbt on all training rows: the boosting engine if it scored the "
              "candidates (auto), or Spark's own estimator (mllib).", (REFIT_AUTO, REFIT_MLLIB)),
    Parameter("minutes", 0.0, (*SEARCHES, MAIN),
              "Minutes after which a search scores no further candidate; 0: no limit.", least=0),
    Parameter("parallelism", 0, (*SEARCHES, MAIN),
              "Number of concurrent fits; 0: enough to use all cores.", least=0),
    Parameter("generations", 10, ("train_ga",), "Maximum number of generations.", least=1),
    Parameter("generations", 10, (MAIN,),
              "Maximum number of generations; 0: no genetic search.", least=0),
    Parameter("population", 16, ("train_ga", MAIN), "Candidates per generation.", least=3),
    Parameter("patience", 4, ("train_ga", MAIN),
              "Number of generations without improvement after which the search stops.", least=1),
    Parameter("crossover", "blxalpha", ("train_ga",), "Crossover, by Optuna's name.", tuple(CROSSOVERS)),
    Parameter("crossover_prob", 0.9, ("train_ga",),
              "Probability that a child has two parents, 0 to 1.", least=0, most=1),
    Parameter("mutation", "polynomial", ("train_ga",),
              "Mutation: to a nearby value (polynomial) or to any value (uniform).", tuple(MUTATIONS)),
    Parameter("mutation_prob", 0.0, ("train_ga",),
              "Probability that a parameter mutates, 0 to 1; 0: one over the number of parameters.",
              least=0, most=1),
    Parameter("warm_start", "none", ("train_ga",),
              "Grid search, by URI, whose best candidates start the first generation; "
              "auto: this workflow's."),
    Parameter("seed", 42, ("split", "featurize", *SEARCHES, MAIN),
              "Random seed of the split, the folds, the search and the learner.", least=0),
    # Champion.
    Parameter("name", AUTO, ("champion", MAIN),
              f"Name of the registered model; auto: {PROJECT} for {DATASET}, else the data set's."),
    Parameter("version", "auto", ("champion",),
              "Version to make champion without a comparison, for example to roll back; auto: none."),
    Parameter("margin", "auto", ("champion", MAIN),
              "Required lead over the champion, in the metric's unit; auto: one standard error."),
    Parameter("gates", "none", ("champion", MAIN),
              "Bounds that a new champion must meet: a name under conf/gates, a YAML file or its runs:/ "
              "URI, or JSON; none: no bounds."),
    Parameter("ensemble", False, ("champion",),
              "Whether an ensemble of each learner's best model also competes."),
    # Scoring and report.
    Parameter("input", None, ("predict",), "Records: a CSV or Parquet file or folder, by path or URI."),
    Parameter("output", None, ("predict",), "Folder to write: CSV if it ends in .csv, else Parquet."),
    Parameter("output", "none", (DESCRIBE,),
              "YAML file to write the data set's description to; none: only show it."),
    Parameter("model", CHAMPION_URI, ("predict",), "Portable model, by URI or path."),
    Parameter("encoding", "auto", ("predict",),
              "Character encoding of CSV, by Python's name; auto: the data set's."),
    Parameter("overwrite", False, ("predict", DESCRIBE), "Whether to replace an output that exists."),
    Parameter("workflow", "auto", ("report",),
              "Run of main or of a step, by id or URI; auto: the workflow that finished last."),
    Parameter("use_cache", True, (MAIN,), "Whether to reuse steps that have already run."),
)
# fmt: on


def parameters_of(step: str) -> list[Parameter]:
    """Return the parameters of an entry point, in the table's order."""
    return [parameter for parameter in PARAMETERS if step in parameter.steps]


def entry_defaults(step: str) -> dict[str, str]:
    """Return an entry point's defaults by parameter, as MLproject writes them."""
    return {p.name: as_text(p.default) for p in parameters_of(step) if p.default is not None}


def entry_points() -> list[str]:
    """Return the names of all entry points."""
    return [name for name, step in STEPS.items() if not step.made_by]


def handed_to(step: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return the given parameters that a step takes."""
    return {p.name: given[p.name] for p in parameters_of(step) if p.name in given}


def outputs(step: str, parameters: Mapping[str, str]) -> Sequence[str]:
    """Return the artifacts that a step produces with these parameters."""
    without_profile = step == "eda" and parameters.get("profile") == "none"
    left_out = "overview.html" if without_profile else None
    return [name for name in STEPS[step].outputs if name != left_out]


def as_text(value: object) -> str:
    """Return a value as MLproject writes it, so a step's key is the same however the step is started."""
    return str(value).lower() if isinstance(value, bool) else str(value)
