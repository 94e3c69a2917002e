"""A command that shows its errors, and knows nothing of MLflow, which takes a second to import."""

import sys
import traceback
from types import TracebackType
from typing import Any

import click

from common.errors import StepFailed, UserError, full_disk
from common.machine.ending import ABORTED, abort_quietly, end_soon
from common.machine.secrets import masked

# Which of them is full, an error seldom says.
MAKE_ROOM = (
    "make room on the disks of the project, of the store and of temporary files (TMPDIR), and give the "
    "same command again"
)


class PlainCommand(click.Command):
    """A command that shows errors a user can fix as one line, with exit code 1."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the command; see click.Command.main."""
        sys.excepthook = _show_masked
        abort_quietly()
        end_soon()
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False})
        except StepFailed as error:
            # The step has shown the one line that begins with Error.
            click.echo(masked(str(error)), err=True)
            sys.exit(1)
        except (click.ClickException, UserError) as error:
            message = error.format_message() if isinstance(error, click.ClickException) else error
            click.echo(f"Error: {masked(str(message))}", err=True)
            sys.exit(1)
        except click.Abort:
            click.echo(ABORTED, err=True)
            sys.exit(130)
        except Exception as error:
            full = full_disk(error)
            if full is None:
                raise
            click.echo(f"Error: {masked(full)}: {MAKE_ROOM}", err=True)
            sys.exit(1)


def _show_masked(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show the trace of an unexpected error; a library's message may contain the URI of the store."""
    sys.stderr.write(masked("".join(traceback.format_exception(kind, error, trace))))


def plain_command(name: str, kind: type[PlainCommand] = PlainCommand) -> Any:
    """Return a decorator that makes a function a command and shows defaults in its help."""
    return click.command(name, cls=kind, context_settings={"show_default": True})
