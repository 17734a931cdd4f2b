"""The command that looks for what is wrong with an installation: doctor."""

import warnings
from typing import TYPE_CHECKING

import typer

from embedhub.cli.app import Json, app, format_table, print_result

if TYPE_CHECKING:
    from embedhub.cli._doctor import Finding


@app.command()
def doctor(*, as_json: Json = False) -> None:
    """Look at versions, the backend, the cache, settings, proxies and plugins.

    Nothing is fetched, and no backend is imported. The exit code is 1 if
    something is wrong; then it says what to do.

    Examples:
      embedhub doctor
      embedhub doctor --json
    """
    from embedhub.cli._doctor import examine
    from embedhub.errors import PluginWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)  # they are among the findings
        findings = examine()
    print_result([finding.to_dict() for finding in findings], lambda: _shown(findings), as_json=as_json)
    if any(finding.advice for finding in findings):
        raise typer.Exit(1)


def _shown(findings: list["Finding"]) -> str:
    rows = [
        [finding.topic, finding.name, "wrong" if finding.advice else "ok", finding.value]
        for finding in findings
    ]
    wrong = [finding for finding in findings if finding.advice]
    said = [f"- {finding.topic}, {finding.name}: {finding.value}. {finding.advice}" for finding in wrong]
    end = f"{len(wrong)} wrong:" if wrong else "Nothing is wrong."
    return "\n".join([format_table(["topic", "name", "state", "value"], rows), "", end, *said])
