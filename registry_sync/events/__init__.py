"""What the registry reports: received at once, stored once, applied by a worker, confirmed by asking."""
