"""From a workload to settings: concurrency limit, lengths, prefill budget, instances and scaling target."""
