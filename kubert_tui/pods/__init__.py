"""cyclictest in pods: its image, its pod, what the pod was given, and what is left behind."""
