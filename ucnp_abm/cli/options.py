"""Options that commands share: `--plugin FILE` and `--no-plugins`, for every command that looks up mechanisms."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ucnp_abm.runs.rundir import Resolve, RunDirectory


def plugin_options(command: Callable[..., Any], *, lenient: bool = False) -> Callable[..., Any]:
    """Give a command `--plugin FILE` and `--no-plugins`, which decide what it finds by name while it runs.

    If lenient, a file that is wrong is kept among the failures of the registry instead of being refused.
    """

    @click.option("--plugin", "plugin_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
                  help="Python file with mechanisms, drives or observables, beside what is installed.")  # fmt: skip
    @click.option("--no-plugins", "no_plugins", is_flag=True, help="Leave out what is installed.")
    @functools.wraps(command)
    def with_plugins(*arguments: Any, plugin_files: tuple[Path, ...], no_plugins: bool, **options: Any) -> Any:
        if not plugin_files and not no_plugins:
            return command(*arguments, **options)
        from ucnp_abm import registry

        with registry.beside(plugin_files, alone=no_plugins, lenient=lenient):
            return command(*arguments, **options)

    return with_plugins


def plugin_words() -> list[str]:
    """The present command's `--plugin` and `--no-plugins`, as they were given."""
    given = click.get_current_context().params
    words = [word for file in given.get("plugin_files", ()) for word in ("--plugin", str(file))]
    return [*words, *(["--no-plugins"] if given.get("no_plugins") else [])]


def resolver(*runs: RunDirectory) -> Resolve:
    """`ucnp_abm.mechanism` for run directories: if their mechanism is unknown, it says which file it came from.

    Raises
    ------
    BadInput, BadPlugin
        When it is called, as for `ucnp_abm.mechanism`.
    """
    from ucnp_abm.errors import BadInput
    from ucnp_abm.registry import mechanism

    def resolve(name: str) -> Any:
        try:
            return mechanism(name)
        except BadInput as error:
            ran = [run.about["mechanism"] for run in runs if isinstance(run.about.get("mechanism"), dict)]
            files = dict.fromkeys(f for one in ran if one.get("name") == name for f in one.get("files_sha256") or ())
            if not files:
                raise
            which = "it is a file" if len(files) == 1 else "one of them is a file"
            raise BadInput(
                f"{error}; its laws came from {' and '.join(map(str, files))}: if {which} of yours, add --plugin FILE"
            ) from error

    return resolve
