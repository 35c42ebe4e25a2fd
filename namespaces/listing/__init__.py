"""Long lists: their orders, their filters, and what is found in them."""
