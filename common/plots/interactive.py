"""Charts as one HTML page, drawn by Plotly; the library is embedded once, so no network is needed."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader
from plotly.offline import get_plotlyjs
from plotly.subplots import make_subplots

from common.plots.chart import (
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

# File name of the page in a run's artifacts.
PAGE = "interactive.html"
# Plotly's name for chart.SCALE.
SCALE = "Viridis"
PIXELS_PER_INCH = 100
# Two lines of text, in pixels.
RAISED = 36
CONFIG = {"displaylogo": False, "responsive": True}


def page(title: str, charts: Sequence[Chart]) -> str:
    """Return a page of charts; the same charts always give the same text."""
    template = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    drawn = [
        figure(chart).to_html(
            CONFIG, include_plotlyjs=False, full_html=False, div_id=f"plot-{chart.name}"
        )
        for chart in charts
    ]
    return template.get_template("page.html.j2").render(
        title=title, library=get_plotlyjs(), charts=list(zip(charts, drawn, strict=True))
    )


def figure(chart: Chart) -> go.Figure:
    """Return a chart as a Plotly figure."""
    if isinstance(chart.panels, Parallel):
        drawn = go.Figure(_parallel(chart.panels))
        rows = 1
    else:
        drawn, rows = _panels(chart, chart.panels)
    drawn.update_layout(
        template="plotly_white",
        height=round(PIXELS_PER_INCH * chart.height * rows + 120),
        margin={"l": 70, "r": 60, "t": 90 if isinstance(chart.panels, Parallel) else 50, "b": 60},
        legend={"orientation": "h", "y": -0.18},
    )
    return drawn


def _panels(chart: Chart, panels: Sequence[Panel]) -> tuple[go.Figure, int]:
    columns = min(chart.columns, len(panels))
    rows = -(-len(panels) // columns)
    titles = [_html(panel.title) for panel in panels]
    apart = (0.1 if chart.share_y else 0.3) / columns
    drawn = make_subplots(
        *(rows, columns),
        subplot_titles=titles,
        shared_yaxes=chart.share_y,
        horizontal_spacing=apart,
        vertical_spacing=0.35 / rows,
    )
    named: set[str] = set()
    for number, panel in enumerate(panels):
        place = {"row": number // columns + 1, "col": number % columns + 1}
        for layer in panel.layers:
            name = getattr(layer, "name", "")
            _layer(drawn, layer, place, bool(panel.legend and name) and name not in named)
            named.add(name)
        x: dict[str, Any] = {"title_text": _html(panel.x), "type": "log" if panel.log_x else None}
        y: dict[str, Any] = {"title_text": _html(panel.y)}
        if chart.share_y and place["col"] > 1:
            y["title_text"] = None
        for axis, ticks in ((x, panel.x_ticks), (y, panel.y_ticks)):
            if ticks:
                axis |= {
                    "tickvals": list(range(len(ticks))),
                    "ticktext": [_html(text) for text in ticks],
                }
        if panel.x_range:
            x["range"] = np.log10(panel.x_range) if panel.log_x else panel.x_range
        if panel.y_range:
            y["range"] = panel.y_range
        drawn.update_xaxes(x, **place)
        drawn.update_yaxes(y, **place)
    return drawn, rows


def _layer(drawn: go.Figure, layer: Layer, place: dict[str, int], legend: bool) -> None:
    match layer:
        case Points():
            drawn.add_trace(_points(layer, legend), **place)
        case Line():
            drawn.add_trace(_line(layer, legend), **place)
        case Bars():
            drawn.add_trace(_bars(layer), **place)
            # Labels that are digits would make an axis of numbers.
            drawn.update_yaxes(autorange="reversed", type="category", **place)
        case Cells():
            drawn.add_trace(_cells(layer), **place)
        case Mark():
            drawn.add_vline(
                *(layer.at, place["row"], place["col"]),
                line={"color": layer.colour, "dash": "dot"},
                annotation_text=_html(layer.text),
                annotation_position="bottom left" if layer.left else "bottom right",
                annotation_yshift=RAISED if layer.raised else 0,
            )


def _html(text: str) -> str:
    """Escape text for Plotly, which interprets some HTML."""
    return escape(text, quote=False).replace("\n", "<br>")


def _points(layer: Points, legend: bool) -> go.Scatter:
    marker: dict[str, Any] = {
        "size": 1.6 * layer.size,
        "symbol": layer.marker,
        "line": {"width": 0.5, "color": "white"},
        "color": layer.colour,
    }
    if layer.shade is not None:
        marker |= {"color": list(layer.shade), "colorscale": SCALE, "reversescale": layer.reverse}
    return go.Scatter(
        x=list(layer.x),
        y=list(layer.y),
        mode="markers",
        marker=marker,
        name=_html(layer.name),
        text=[_html(text) for text in layer.hover],
        hovertemplate="%{text}<extra></extra>",
        showlegend=legend,
    )


def _line(layer: Line, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=list(layer.x),
        y=list(layer.y),
        mode="lines+markers" if layer.dots else "lines",
        line={"color": layer.colour, "dash": "dash" if layer.dashed else "solid"},
        error_y=_errors(layer.y, layer),
        fill="tozeroy" if layer.fill else None,
        name=_html(layer.name),
        showlegend=legend,
    )


def _cells(layer: Cells) -> go.Heatmap:
    low, high = layer.range
    x, y = (None, None) if layer.ends is None else map(_middles, layer.ends, layer.values.shape[::-1])
    return go.Heatmap(
        z=[[None if np.isnan(value) else value for value in row] for row in layer.values.tolist()],
        x=x,
        y=y,
        zmin=low,
        zmax=high,
        text=[[_html(text) for text in row] for row in layer.texts],
        texttemplate="%{text}" if layer.ends is None else None,
        hovertemplate="%{text}<extra></extra>",
        colorscale=SCALE,
        reversescale=layer.reverse,
        showscale=False,
    )


def _middles(ends: tuple[float, float], parts: int) -> list[float]:
    edges = np.linspace(*ends, parts + 1)
    return ((edges[1:] + edges[:-1]) / 2).tolist()


def _errors(values: Numbers, layer: Line | Bars) -> dict[str, Any] | None:
    if layer.low is None or layer.high is None:
        return None
    above, below = np.subtract(layer.high, values), np.subtract(values, layer.low)
    return {"array": above.tolist(), "arrayminus": below.tolist(), "thickness": 1.2}


def _bars(layer: Bars) -> go.Bar:
    values = np.asarray(layer.values, float)
    return go.Bar(
        x=values.tolist(),
        y=[_html(label) for label in layer.labels],
        orientation="h",
        error_x=_errors(values, layer),
        customdata=[_html(text) for text in layer.texts],
        hovertemplate="%{y}: %{customdata}<extra></extra>",
        marker={"color": list(layer.colours)},
        showlegend=False,
    )


def _parallel(chart: Parallel) -> go.Parcoords:
    low, high = chart.range
    dimensions: list[dict[str, Any]] = [
        {
            "label": axis.label.replace("\n", " "),
            "values": axis.places.tolist(),
            "tickvals": list(axis.ticks),
            "ticktext": list(axis.ticks.values()),
        }
        for axis in chart.axes
    ]
    dimensions.append({"label": chart.label, "values": chart.score.tolist()})
    line = {"color": chart.score.tolist(), "colorscale": SCALE, "reversescale": chart.reverse}
    return go.Parcoords(dimensions=dimensions, line=line | {"cmin": low, "cmax": high})
