"""Our default theme: dark, calm, with colours for states that stay apart from each other."""

from textual.theme import Theme

KUBERT = Theme(
    name="kubert",
    primary="#6fa8dc",
    secondary="#8fb8de",
    accent="#5fd7c7",
    success="#7fd18a",
    warning="#f0c36a",
    error="#f2777a",
    foreground="#d8dee6",
    background="#14181e",
    surface="#1a1f27",
    panel="#232a34",
    dark=True,
    variables={
        "border": "#3c4757",
        "border-blurred": "#2c3542",
        "footer-key-foreground": "#5fd7c7",
        "block-cursor-foreground": "#14181e",
        "block-cursor-background": "#6fa8dc",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "#d8dee6",
        "block-cursor-blurred-background": "#2d3a4a",
        "input-selection-background": "#6fa8dc 35%",
    },
)
