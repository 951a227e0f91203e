"""The command that says what visitors of a service opened: report."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from vernissage.cli.options import AsJson, Place, option
from vernissage.cli.output import print_json, say


def report(
    place: Place, as_json: AsJson = False, html: Path | None = option(None, "Write one page with plots.")
) -> None:
    """What visitors of the service opened: by engine and place, coverage of the collection, a split's difference.

    It reads the events that pages have sent (docs/measuring.md), with 95 % intervals, and changes nothing.

    \b
    Examples:
      vernissage report workspace
      vernissage report workspace --html report.html
      vernissage report workspace --database postgresql://vernissage@db.museum.example/works --json
    """
    from vernissage.gallery.usage import measure

    with place.gallery() as gallery:
        usage = measure(gallery)
    if html is not None:
        from vernissage.files import write_bytes
        from vernissage.pages.usage_report import usage_report

        write_bytes(html, usage_report(usage).encode())
    if as_json:
        content: dict[str, Any] = asdict(usage)
        print_json(content | {name: content[name].isoformat() for name in ("first", "last")})
    else:
        from vernissage.cli.study_results import print_data_table
        from vernissage.pages.usage_report import usage_findings, usage_tables

        for table in usage_tables(usage):
            print_data_table(table)
        say("", *usage_findings(usage))
    if html is not None and not as_json:
        say(f"Written to {html}")
