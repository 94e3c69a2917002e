"""A chart as plain values: panels of layers, which `still` and `interactive` both draw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Okabe and Ito's palette, which most colour-blind people can tell apart; the scale also works in grey.
BLUE, ORANGE, GREEN, RED, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#8C8C8C"
SCALE = "viridis"

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Points:
    """Dots with hover texts; `shade` replaces the common colour by a value on the scale for each dot."""

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
    """A line through points, with optional error bars from `low` to `high`; `fill` fills it down to 0."""

    x: Numbers
    y: Numbers
    name: str = ""
    colour: str = BLUE
    dashed: bool = False
    dots: bool = False
    low: Numbers | None = None
    high: Numbers | None = None
    fill: bool = False


@dataclass(frozen=True)
class Bars:
    """Horizontal bars, the first on top, with optional error bars from `low` to `high`."""

    labels: Sequence[str]
    values: Numbers
    texts: Sequence[str]
    low: Numbers | None = None
    high: Numbers | None = None
    colours: Sequence[str] = ()


@dataclass(frozen=True)
class Cells:
    """A heat map with text in its cells; the first row is at the bottom.

    Attributes:
        values: Value of each cell; NaN leaves it empty.
        texts: Text of each cell.
        range: Range of the colour scale.
        reverse: Whether to reverse the colour scale.
        ends: The ends of x and those of y, if the axes are numbers. The texts are then for the
            interactive version alone.
    """

    values: np.ndarray
    texts: Sequence[Sequence[str]]
    range: tuple[float, float]
    reverse: bool = False
    ends: tuple[tuple[float, float], tuple[float, float]] | None = None


@dataclass(frozen=True)
class Mark:
    """A vertical line at a value of x, with text to its right or left; raised, it leaves room below."""

    at: float
    text: str
    colour: str = RED
    left: bool = False
    raised: bool = False


Layer = Points | Line | Bars | Cells | Mark


@dataclass(frozen=True)
class Panel:
    """Layers on one pair of axes.

    Attributes:
        title: Title of the panel.
        x: Label of the x axis, with its unit.
        y: Label of the y axis, with its unit.
        layers: The layers in drawing order.
        x_ticks: Tick labels at 0, 1, ... if x is categorical.
        y_ticks: Tick labels at 0, 1, ... if y is categorical.
        log_x: Whether the x axis is logarithmic.
        whole_x: Whether x takes whole numbers only.
        x_range: Limits of the x axis; None to fit the layers.
        y_range: Limits of the y axis; None to fit the layers.
        legend: Location of the legend, as matplotlib names it; empty for no legend.
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
    """An axis of a parallel coordinates chart: where each line crosses it, and its tick labels."""

    label: str
    places: np.ndarray
    ticks: dict[float, str]


@dataclass(frozen=True)
class Parallel:
    """Parallel coordinates: a line per candidate, coloured by its score.

    Attributes:
        axes: At least one axis; the score's own is added.
        score: Score of each line.
        label: Name of the score.
        range: Range of the colour scale.
        reverse: Whether to reverse the colour scale, for scores where lower is better.
        best: Index of the line to emphasize.
    """

    axes: Sequence[Axis]
    score: np.ndarray
    label: str
    range: tuple[float, float]
    reverse: bool = False
    best: int = 0


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes:
        name: Name of its file, without extension.
        title: The main result, as a title.
        note: How to read the chart.
        panels: Panels in a grid, or one parallel coordinates chart.
        columns: Number of panels per row.
        height: Height of a row of panels, in inches.
        share_y: Whether all panels share one y axis.
        colour_bar: Whether to show a colour bar for the cells.
    """

    name: str
    title: str
    note: str
    panels: Sequence[Panel] | Parallel
    columns: int = 3
    height: float = 3.2
    share_y: bool = False
    colour_bar: bool = False
