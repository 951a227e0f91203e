"""Hooks of MkDocs: files of the repository that pages link to join the site, and notebooks become pages.

The pages read well in the repository too, so their links are relative to it: `../deploy/nginx.conf` from docs/,
`docs/study.md` from the first page. In the site the repository's root and docs/ are one folder.
"""

import json
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
JOINING = (
    "*.md",
    "LICENSE",
    "deploy/*",
    "examples/*.toml",
    "examples/*/README.md",
    "src/vernissage/gallery/answer.schema.json",
)


def on_config(config: Any) -> Any:
    """Take up the pages that the navigation does not name."""
    named = json.dumps(config.nav)
    sections = {name: pages for entry in config.nav for name, pages in entry.items()}
    sections["How to"] += [each.name for each in sorted((ROOT / "docs").glob("*.md")) if f'"{each.name}"' not in named]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what lies outside docs/, and a page for each notebook."""
    for path in sorted(each for pattern in JOINING for each in ROOT.glob(pattern) if each.is_file()):
        name = path.relative_to(ROOT).as_posix().replace("README.md", "index.md", 1 if path.parent == ROOT else 0)
        files.append(File.generated(config, name, abs_src_path=str(path)))
    for notebook in sorted((ROOT / "docs" / "notebooks").glob("*.ipynb")):
        content = notebook_page(json.loads(notebook.read_text("utf-8")))
        files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=content))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Make links of the repository ones of the site, where a page is called by its title and not by its file."""
    if page.is_homepage:
        page.meta["hide"] = ["navigation"]
    markdown = re.sub(r"(\]\()docs/" if page.file.generated_by else r"(\]\()\.\./", r"\1", markdown)
    markdown = re.sub(r"\[(?:docs/)?([\w-]+\.md)\](?=\()", lambda link: f"[{_title(link[1])}]", markdown)
    # In a table of the repository's Markdown even code needs the backslash, which Python's shows.
    return re.sub(r"`[^`\n]+`", lambda code: code[0].replace("\\|", "|"), markdown)


def _title(name: str) -> str:
    path = ROOT / "docs" / name
    return (path if path.is_file() else ROOT / name).read_text("utf-8").partition("\n")[0].removeprefix("# ")


def on_post_page(output: str, **_: Any) -> str:
    """Mend what screen readers stumble over in the theme's pages."""
    return output.replace('role="dialog">', 'role="dialog" aria-label="Search">').replace("<th></th>", "<td></td>")


def notebook_page(notebook: dict[str, Any]) -> str:
    """Cells as Markdown: texts as they are, code and what it printed as blocks."""
    parts = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            told = output.get("text") or output.get("data", {}).get("text/plain", ())
            parts.append(f"```text\n{''.join(told).rstrip()}\n```")
    return "\n\n".join(parts)
