"""Build the commands from the declaration, and show their errors."""

import inspect
import sys
from collections.abc import Callable
from math import isfinite
from typing import Any

import click
from mlflow.exceptions import MlflowException

from common.machine.secrets import masked
from common.store import tracking
from common.workflow.declaration import Parameter, as_text, parameters_of
from steps.plain_command import PlainCommand, plain_command

# The largest of Java's integers.
LARGEST = 2**31 - 1


class Command(PlainCommand):
    """A command that also shows in one line that the store does not answer."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; see click.Command.main."""
        tracking.hide_credentials()
        tracking.decode_store()
        try:
            return super().main(*args, **kwargs)
        except MlflowException as error:
            silent = tracking.no_answer(error)
            if silent is None:
                raise
            click.echo(f"Error: {masked(silent)}", err=True)
            sys.exit(1)


def command(name: str) -> Any:
    """Return a decorator that makes a function a command and shows defaults in its help."""
    return plain_command(name, Command)


def step_command(step: str) -> Callable[[Callable[..., None]], click.Command]:
    """Return a decorator that makes a function the command of an entry point, with its declared options.

    The function receives the parameters that it names; click's context has them all.
    """

    def make(function: Callable[..., None]) -> click.Command:
        named = inspect.signature(function).parameters

        def call(**given: object) -> None:
            function(**{name: given[name] for name in named})

        # click expects the reverse order, as decorators would append them.
        call.__doc__ = function.__doc__
        call.__click_params__ = [_option(one) for one in reversed(parameters_of(step))]  # type: ignore[attr-defined]
        made: click.Command = command(step)(call)
        return made

    return make


def _option(parameter: Parameter) -> click.Option:
    # With an explicit default of None, click would not require the option.
    missing = {"required": True} if parameter.default is None else {"default": parameter.default}
    names = [parameter.flag, parameter.name]
    return _Given(names, type=_type(parameter), help=parameter.help, **missing)


class _Given(click.Option):
    """An option that refuses blank text: as a path it is the project's folder, as a boolean false."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Convert a value; see click.Parameter.type_cast_value."""
        if isinstance(value, str) and not value.strip():
            default = "" if self.required else f", or leave it out for {as_text(self.default)}"
            raise click.BadParameter(f"{value!r} is no value: give one{default}.", ctx, self)
        return super().type_cast_value(ctx, value)


def _type(parameter: Parameter) -> Any:
    if parameter.choices:
        return click.Choice(parameter.choices)
    kind = str if parameter.default is None else type(parameter.default)
    if kind not in (int, float):
        return kind
    ranges: Any = click.IntRange if kind is int else _Finite
    most = LARGEST if parameter.most is None and kind is int else parameter.most
    ends = {"min_open": parameter.is_open, "max_open": parameter.is_open}
    return ranges(parameter.least, most, **ends)


class _Finite(click.FloatRange):
    """A range of numbers; click's has NaN in it, which is neither below its ends nor above."""

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        found: float = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{found} is not a finite number.", param, ctx)
        return found
