"""kubert-tui: Kubernetes on KVM with deterministic latency, and the proof."""

__version__ = "0.1.0"
