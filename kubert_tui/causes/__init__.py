"""What steals time from a host, measured apart from cyclictest: hardware latency, rtla timerlat."""
