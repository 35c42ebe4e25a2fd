"""The space that deleted images still take: planned, freed by garbage collection, and checked afterwards."""
