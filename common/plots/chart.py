"""A picture as plain values: panels of layers, which `still` and `interactive` draw alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Okabe and Ito's colours, which most colour-blind people tell apart; a scale that greys well too.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8C8C8C"
SCALE = "viridis"

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Points:
    """Dots, each with what a pointer over it shows; a shade instead of one colour gives each its own."""

    x: Numbers
    y: Numbers
    hover: Sequence[str]
    name: str = ""
    colour: str = GREY
    size: float = 5
    shade: Numbers | None = None
    marker: str = "circle"
    reverse: bool = False


@dataclass(frozen=True)
class Line:
    """A line through points, perhaps with bars from low to high."""

    x: Numbers
    y: Numbers
    name: str = ""
    colour: str = BLUE
    dashed: bool = False
    dots: bool = False
    low: Numbers | None = None
    high: Numbers | None = None


@dataclass(frozen=True)
class Bars:
    """Bars from the left, the first on top, perhaps with thin ones from low to high."""

    labels: Sequence[str]
    values: Numbers
    texts: Sequence[str]
    low: Numbers | None = None
    high: Numbers | None = None
    colours: Sequence[str] = ()


@dataclass(frozen=True)
class Cells:
    """A table of coloured cells with text; the first row is at the bottom."""

    values: np.ndarray
    texts: Sequence[Sequence[str]]
    range: tuple[float, float]
    reverse: bool = False


@dataclass(frozen=True)
class Mark:
    """A line across at a place of x, with text on its right, or left."""

    at: float
    text: str
    colour: str = RED
    left: bool = False


Layer = Points | Line | Bars | Cells | Mark


@dataclass(frozen=True)
class Panel:
    """Layers on one pair of axes.

    Attributes:
        title: what to see here.
        x: what lies along, with its unit.
        y: what goes up.
        layers: in the order they are drawn.
        x_ticks: texts at 0, 1, ... where x is no number.
        y_ticks: the same of y.
        log_x: whether x goes by logarithms.
        whole_x: whether x is a whole number.
        x_range: its ends; None: as the layers need.
        y_range: the same of y.
        legend: corner for the names of the layers, as matplotlib calls it; empty: none.
    """

    title: str
    x: str
    y: str
    layers: Sequence[Layer]
    x_ticks: Sequence[str] = ()
    y_ticks: Sequence[str] = ()
    log_x: bool = False
    whole_x: bool = False
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    legend: str = ""


@dataclass(frozen=True)
class Axis:
    """One of a parallel picture's axes: where each line crosses it, and what is written along it."""

    label: str
    places: np.ndarray
    ticks: dict[float, str]


@dataclass(frozen=True)
class Parallel:
    """A line a candidate across parallel axes, coloured by a score.

    Attributes:
        axes: at least one; the score's own is not among them.
        score: of each line.
        label: what the score is.
        range: of the colours.
        reverse: whether low scores have the colours of high ones.
        best: the line that is drawn thick.
    """

    axes: Sequence[Axis]
    score: np.ndarray
    label: str
    range: tuple[float, float]
    reverse: bool = False
    best: int = 0


@dataclass(frozen=True)
class Chart:
    """A picture.

    Attributes:
        name: of its file.
        title: what it shows.
        note: how to read it.
        panels: beside and below each other, or one parallel picture.
        columns: panels beside each other.
        height: of a row of panels, in inches.
        share_y: whether all panels have one y axis.
        colour_bar: whether the colours of the cells are shown in a bar.
    """

    name: str
    title: str
    note: str
    panels: Sequence[Panel] | Parallel
    columns: int = 3
    height: float = 3.2
    share_y: bool = False
    colour_bar: bool = False
