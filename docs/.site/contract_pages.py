"""Gives each file of the contract a page, because its comments are the reference of every method, message and field."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOM = "reference/protos"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file, and one that lists them."""
    repository = Path(config.config_file_path).parent
    sources = sorted((repository / "protos" / "queueserver").rglob("*.proto"))
    listed = ["# Protos\n", "The contract itself; the comments in it are its reference.\n"]
    for source in sources:
        path = source.relative_to(repository / "protos").as_posix()
        page = f"# {source.name}\n\n`protos/{path}`\n\n````proto\n{source.read_text(encoding='utf-8')}````\n"
        files.append(File.generated(config, f"{ROOM}/{path}.md", content=page))
        listed.append(f"- [{path}]({path}.md)")
    files.append(File.generated(config, f"{ROOM}/index.md", content="\n".join(listed) + "\n"))
    return files
