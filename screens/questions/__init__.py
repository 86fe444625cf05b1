"""One form per kind of question, and the desk that asks them one after another."""
