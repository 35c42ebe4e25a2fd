"""What is inside a manifest, told and compared. Given out only through an image that the reader may see."""
