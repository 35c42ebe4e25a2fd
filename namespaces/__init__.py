"""What, and who may: namespaces, images, tags, grants, and the one evaluator of access."""
