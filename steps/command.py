"""Build the commands from the declaration, and show their errors."""

import inspect
import sys
from collections.abc import Callable
from typing import Any

import click
from mlflow.exceptions import MlflowException

from common.errors import first_line
from common.machine.secrets import masked
from common.store import tracking
from common.workflow.declaration import Parameter, parameters_of
from steps.plain_command import PlainCommand, plain_command


class Command(PlainCommand):
    """A command that also shows in one line that the store does not answer."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; see click.Command.main."""
        tracking.hide_credentials()
        try:
            return super().main(*args, **kwargs)
        except MlflowException as error:
            if not tracking.is_silence(error):
                raise
            silent = f"{tracking.shown_store()} does not answer: {first_line(error)}"
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
    return click.Option(names, type=_type(parameter), help=parameter.help, **missing)


def _type(parameter: Parameter) -> Any:
    if parameter.choices:
        return click.Choice(parameter.choices)
    kind = str if parameter.default is None else type(parameter.default)
    if parameter.least is None and parameter.most is None:
        return kind
    ranges: Any = click.IntRange if kind is int else click.FloatRange
    ends = {"min_open": parameter.is_open, "max_open": parameter.is_open}
    return ranges(parameter.least, parameter.most, **ends)
