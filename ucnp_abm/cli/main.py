"""`ucnp-abm`: the group of all commands, loaded lazily, and the one place where errors become exit codes."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Mapping
from typing import Any

import click

COMMANDS = {
    "demo": ("ucnp_abm.cli.demo:demo", "Anneal the paper's particle without and with the yttrium complex."),
    "run": ("ucnp_abm.cli.run:run", "One trajectory into a run directory, or one that goes on."),
    "debug": ("ucnp_abm.cli.debug:debug", "Step through a run in a browser: forwards, backwards, and why."),
    "compare": ("ucnp_abm.cli.compare:compare", "Mechanisms side by side on the same crystals; studies."),
    "report": ("ucnp_abm.cli.report:report", "The page, figures and tables of a study, from whatever is finished."),
    "light": ("ucnp_abm.cli.light:light", "Where absorbed energy goes, and what light comes out, over an anneal."),
    "check": ("ucnp_abm.cli.check:check", "Whether a run directory is as it was written, and runs again the same."),
    "diff": ("ucnp_abm.cli.diff:diff", "The first event at which two runs part, and why."),
    "reproduce": ("ucnp_abm.cli.reproduce:reproduce", "The claims of the paper, scored."),
    "export": ("ucnp_abm.cli.export:export", "A run directory for ASE and OVITO, or its events as a table."),
    "movie": ("ucnp_abm.cli.movie:movie", "A run as one HTML file that steps both ways, or as MP4."),
    "plugins": ("ucnp_abm.cli.plugins:plugins", "Mechanisms and drives: those that are installed, and your own."),
    "bench": ("ucnp_abm.cli.bench:bench", "Throughput on this machine."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name, place and one-line help, and imports one only to run it."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, tuple[str, str]], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.lazy)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.lazy:
            return None
        module, attribute = self.lazy[name][0].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            from ucnp_abm.errors import nearest

            raise click.UsageError(f"no command '{args[0]}'{nearest(args[0], self.lazy)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.lazy.items()])


@click.group(
    cls=LazyGroup, lazy=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="ucnp-abm", prog_name="ucnp-abm")
def cli() -> None:
    """Exact simulation of core-shell upconversion nanocrystals while they are annealed.

    Start with `ucnp-abm demo`.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run a command; every expected error is one sentence on stderr and an exit code.

    2 usage or configuration, 3 plugin, 4 damaged data, 75 stopped with a checkpoint, 130 interrupted without one.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # a path may hold bytes that are no text
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(args=arguments, prog_name="ucnp-abm", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        click.echo(f"ucnp-abm: {error.format_message()}", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("ucnp-abm: interrupted; nothing was written", err=True)
        sys.exit(130)
    except OSError as error:
        click.echo(f"ucnp-abm: cannot read or write: {error}", err=True)
        sys.exit(2)
    except Exception as error:
        from ucnp_abm.errors import UcnpError

        if not isinstance(error, UcnpError):
            raise
        click.echo(f"ucnp-abm: {error}", err=True)
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)  # what a command gave to Context.exit


if __name__ == "__main__":
    main()
