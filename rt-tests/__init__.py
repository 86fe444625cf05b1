"""What is ours about rt-tests: pinned versions, sources, the build recipe, known failures."""
