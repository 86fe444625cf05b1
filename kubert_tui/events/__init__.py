"""The one stream: what the engine says, and the questions it asks."""
