"""What the facts of a host say of what it offers to virtual machines."""

from kubert_tui.facts.model import Facts
from kubert_tui.machines import traits


def traits_of(facts: Facts) -> traits.Traits:
    """Return the traits of a host."""
    return traits.traits_of(facts)
