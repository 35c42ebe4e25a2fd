"""What every app may import: errors, pagination, clocks, and what of a client is believed."""
