"""What the registry tells: taken in at once, stored once, applied by a worker, confirmed by asking."""
