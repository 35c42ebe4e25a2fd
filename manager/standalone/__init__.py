"""The whole set on one machine: prepared and run in the foreground by `manage.py run`."""
