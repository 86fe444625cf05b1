"""The wizard: Textual screens that show the engine's events and answer its questions."""
