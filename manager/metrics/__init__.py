"""What Prometheus reads at /metrics (docs/metrics.md). Off without a key: then nothing is timed, asked or written."""
