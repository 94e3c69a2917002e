"""Charts as PNG, drawn on matplotlib's Agg canvas: no display, and no state shared between figures."""

import io
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator
from PIL import Image

from common.learning.metrics import shown_score
from common.plots.chart import (
    SCALE,
    Bars,
    Cells,
    Chart,
    Layer,
    Line,
    Mark,
    Numbers,
    Panel,
    Parallel,
    Points,
)

# A user's names may have characters that the font lacks, which are drawn as boxes.
warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)

WIDTH, DPI = 10.0, 110
STYLE = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#666666",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E6E6",
    "legend.edgecolor": "none",
    # Otherwise a dollar sign in a label starts a formula.
    "text.parse_math": False,
    "legend.fontsize": 8,
}
# What lets a text be read where lines cross it.
BEHIND = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8}
MARKERS = {"circle": "o", "star": "*", "diamond": "D"}


def stills(charts: Sequence[Chart]) -> dict[str, bytes]:
    """Return each chart as PNG, by file name."""
    return {f"{chart.name}.png": draw(chart) for chart in charts}


def draw(chart: Chart) -> bytes:
    """Draw a chart as PNG; the same chart always gives the same bytes."""
    with mpl.rc_context(STYLE):
        rows = 1 if isinstance(chart.panels, Parallel) else -(-len(chart.panels) // chart.columns)
        note = textwrap.fill(chart.note, 150)
        title = textwrap.fill(chart.title, 95)
        height = chart.height * rows + 0.4 + 0.2 * (title.count("\n") + 1) + 0.17 * (note.count("\n") + 1)
        figure = Figure((WIDTH, height), dpi=DPI, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        figure.suptitle(title, x=0.012, ha="left", fontsize=12, fontweight="bold")
        figure.supxlabel(note, x=0.012, ha="left", fontsize=8, color="#555555")
        if isinstance(chart.panels, Parallel):
            _parallel(figure, chart.panels)
        else:
            _panels(figure, chart, chart.panels, rows)
        canvas.draw()
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        if isinstance(chart.panels, Parallel):
            # The many crossing lines take a megabyte in full colour.
            picture = picture.quantize(256, method=Image.Quantize.FASTOCTREE)
        file = io.BytesIO()
        picture.save(file, "png")
        return file.getvalue()


def _panels(figure: Figure, chart: Chart, panels: Any, rows: int) -> None:
    columns = min(chart.columns, len(panels))
    axes = figure.subplots(rows, columns, squeeze=False, sharey=chart.share_y)
    image = None
    for place, axis in enumerate(axes.flat):
        if place >= len(panels):
            axis.set_axis_off()
            continue
        drawn = _panel(axis, panels[place])
        image = drawn or image
        if chart.share_y and place % columns:
            axis.set_ylabel("")
    if chart.colour_bar and image is not None:
        figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01, drawedges=False)


def _panel(axis: Any, panel: Panel) -> Any:
    axis.set(xlabel=panel.x, ylabel=panel.y)
    axis.set_title(panel.title)
    if panel.log_x:
        axis.set_xscale("log")
    image = None
    for layer in panel.layers:
        image = _layer(axis, layer) or image
    if panel.x_ticks:
        axis.set_xticks(range(len(panel.x_ticks)), panel.x_ticks)
        axis.set_xlim(-0.5, len(panel.x_ticks) - 0.5)
        if (
            max(len(line) for tick in panel.x_ticks for line in tick.split("\n")) * len(panel.x_ticks)
            > 40
        ):
            axis.tick_params(axis="x", labelrotation=25)
            for text in axis.get_xticklabels():
                text.set(ha="right", rotation_mode="anchor")
    elif not panel.log_x:
        axis.xaxis.set_major_locator(MaxNLocator(5, integer=panel.whole_x))
    else:
        _log_ticks(axis)
    if panel.y_ticks:
        axis.set_yticks(range(len(panel.y_ticks)), panel.y_ticks)
    if panel.x_range:
        axis.set_xlim(*panel.x_range)
    if panel.y_range:
        axis.set_ylim(*panel.y_range)
    if panel.legend:
        axis.legend(loc=panel.legend)
    return image


def _log_ticks(axis: Any) -> None:
    low, high = axis.get_xlim()
    tens = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    few = np.log10(high / low) < 3
    ticks = [ten * step for ten in tens for step in ((1, 2, 5) if few else (1,))]
    ticks = [tick for tick in ticks if low <= tick <= high]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())


def _layer(axis: Any, layer: Layer) -> Any:
    match layer:
        case Points():
            _points(axis, layer)
        case Line():
            style = {"linestyle": "--" if layer.dashed else "-", "marker": "o" if layer.dots else None}
            axis.errorbar(
                *(layer.x, layer.y, _errors(layer.y, layer)),
                color=layer.colour,
                label=layer.name,
                **{"capsize": 3, "markersize": 5, "linewidth": 1.6, "zorder": 4, **style},
            )
            if layer.fill:
                axis.fill_between(layer.x, layer.y, color=layer.colour, alpha=0.25, linewidth=0)
        case Bars():
            _bars(axis, layer)
        case Cells():
            return _cells(axis, layer)
        case Mark():
            axis.axvline(layer.at, color=layer.colour, linestyle=":", linewidth=1.4)
            axis.annotate(
                *(layer.text, (layer.at, 0.15 if layer.raised else 0.02)),
                xycoords=("data", "axes fraction"),
                **{"xytext": (-4 if layer.left else 4, 0), "textcoords": "offset points"},
                **{"ha": "right" if layer.left else "left", "fontsize": 8},
                **{"color": layer.colour, "bbox": BEHIND, "zorder": 5},
            )
    return None


def _errors(values: Numbers, layer: Line | Bars) -> np.ndarray | None:
    if layer.low is None or layer.high is None:
        return None
    return np.maximum([np.subtract(values, layer.low), np.subtract(layer.high, values)], 0)


def _points(axis: Any, layer: Points) -> None:
    colours: dict[str, Any] = {"color": layer.colour}
    if layer.shade is not None:
        colours = {"c": layer.shade, "cmap": _scale(layer.reverse)}
    axis.scatter(
        *(layer.x, layer.y, layer.size**2),
        **{**colours, "marker": MARKERS[layer.marker], "edgecolors": "white", "linewidths": 0.4},
        label=layer.name,
        zorder=5 if layer.marker != "circle" else 2,
    )


def _scale(reverse: bool) -> str:
    return SCALE + "_r" * reverse


def _bars(axis: Any, layer: Bars) -> None:
    places = np.arange(len(layer.labels))[::-1]
    values = np.asarray(layer.values, float)
    errors = _errors(values, layer)
    ends = values if layer.high is None else np.asarray(layer.high, float)
    bars = axis.barh(
        places, values, color=list(layer.colours), height=0.7, xerr=errors, ecolor="#444444", capsize=2.5
    )
    bars.set_label("")
    for place, end, text in zip(places, np.maximum(ends, 0), layer.texts, strict=True):
        axis.annotate(
            text, (end, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8
        )
    axis.set_yticks(places, layer.labels)
    axis.grid(visible=False, axis="y")
    most, least = float(np.max(ends)), float(np.min(values))
    room = 0.25 * max(most - min(least, 0), 1e-9)
    axis.set_xlim(least - room / 2 if least < 0 else 0, max(most, 0) + room)


def _cells(axis: Any, layer: Cells) -> Any:
    low, high = layer.range
    image = axis.imshow(
        layer.values,
        cmap=_scale(layer.reverse),
        vmin=low,
        vmax=high,
        aspect="auto",
        origin="lower",
        zorder=1,
        extent=None if layer.ends is None else (*layer.ends[0], *layer.ends[1]),
    )
    if layer.ends is not None:
        return image
    axis.grid(visible=False)
    for row, column in np.ndindex(layer.values.shape):
        value = layer.values[row, column]
        place = (value - low) / max(high - low, 1e-12)
        dark = np.isfinite(value) and (1 - place if layer.reverse else place) < 0.6
        text, size = layer.texts[row][column], 8 if layer.values.shape[1] < 4 else 6.5
        colour = "white" if dark else "black"
        axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=size)
    return image


def _parallel(figure: Figure, chart: Parallel) -> None:
    axis = figure.subplots()
    count = len(chart.axes)
    low, high = chart.range
    score = _unit(chart.score, low, high)
    heights = [_unit(a.places, *_ends(a)) for a in chart.axes]
    lines = np.stack([*heights, score], axis=1)
    points = np.stack(np.broadcast_arrays(np.arange(count + 1.0), lines), axis=2)[::-1]
    collection = LineCollection(list(points), cmap=_scale(chart.reverse), linewidths=1.1, zorder=2)
    collection.set(array=chart.score[::-1], clim=chart.range)
    axis.add_collection(collection)
    axis.plot(np.arange(count + 1), lines[chart.best], color="#D55E00", linewidth=2.6, zorder=3)
    for place, one in enumerate(chart.axes):
        for at, text in one.ticks.items():
            y = _unit(np.array([at]), *_ends(one))[0]
            _tick_text(axis, place, y, text)
        axis.axvline(place, color="#444444", linewidth=1, zorder=1)
    for y, text in zip(np.linspace(0, 1, 5), _score_ticks(chart), strict=True):
        _tick_text(axis, count, y, text)
    axis.axvline(count, color="#444444", linewidth=1, zorder=1)
    axis.set(xlim=(-0.15, count + 0.35), ylim=(-0.04, 1.04), yticks=[])
    axis.set_xticks(range(count + 1), [*(a.label for a in chart.axes), chart.label])
    axis.tick_params(length=0)
    if count > 6:
        axis.tick_params(axis="x", labelrotation=20)
    axis.grid(visible=False)
    axis.spines[:].set_visible(False)


def _tick_text(axis: Any, x: float, y: float, text: str) -> None:
    axis.text(x + 0.02, y, text, fontsize=8, va="center", zorder=5, bbox=BEHIND)


def _ends(axis: Any) -> tuple[float, float]:
    everything = [*axis.places, *axis.ticks]
    return min(everything), max(everything)


def _score_ticks(chart: Parallel) -> list[str]:
    """Return the texts along the score's axis; lines of worse scores than its worst end there too."""
    texts = [shown_score(chart.label, score) for score in np.linspace(*chart.range, 5)]
    low, high = chart.range
    if chart.score.min() < low or chart.score.max() > high:
        texts[-1 if chart.reverse else 0] += "\nor worse"
    return texts


def _unit(values: np.ndarray, low: float, high: float) -> np.ndarray:
    if high <= low:
        return np.full(len(values), 0.5)
    return np.clip((values - low) / (high - low), 0, 1)
