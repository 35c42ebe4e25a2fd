"""What operators see and do: pages, API and actions for the whole installation."""
