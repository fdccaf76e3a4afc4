"""Typesets one document, as a process of its own: JSON on standard input, a PDF on standard output.

A process can be ended, whatever it is at; a thread could not. It imports nothing of ours, so it is there at once.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typst

HERE = Path(__file__).parent
TEMPLATE = HERE / "templates" / "paper" / "paper.typ"
STANDARD: typst.PDFStandard = "a-2a"
"""PDF/A for archives, with the structure that a screen reader follows: fonts are embedded, and a letter without a glyph is an error."""


def typeset(sheet: str, at: int) -> bytes:
    """The document of a sheet, a JSON text; `at`: the instant that it says it was made, in seconds of Unix time."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])
    compiler = typst.Compiler(TEMPLATE, font_paths=fonts)
    made = compiler.compile(format="pdf", sys_inputs={"sheet": sheet}, timestamp=at, pdf_standards=STANDARD)
    if not isinstance(made, bytes):
        raise TypeError("a document is one file")
    return made


def main() -> None:
    """One document."""
    asked = json.load(sys.stdin.buffer)
    sys.stdout.buffer.write(typeset(asked["sheet"], asked["at"]))


if __name__ == "__main__":
    main()
