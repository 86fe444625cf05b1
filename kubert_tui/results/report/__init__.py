"""A stored measurement as something to hand on: HTML, Markdown, SVG, PNG."""
