"""Reading and comparing stored manifests. Each is reached through an image that the reader may see."""
