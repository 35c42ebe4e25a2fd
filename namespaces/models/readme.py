from django.db import models

from namespaces.models.image import Image
from namespaces.models.namespace import Namespace


class Readme(models.Model):
    """What a member wrote about a namespace or an image, as Markdown. Without a text there is no row.

    Rows of their own: namespaces and images are loaded by the hundred, and with every tag.
    """

    namespace = models.OneToOneField(Namespace, null=True, on_delete=models.CASCADE, related_name="readme")
    image = models.OneToOneField(Image, null=True, on_delete=models.CASCADE, related_name="readme")
    text = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(namespace=None) ^ models.Q(image=None), name="readme_of_one"
            ),
        ]

    def __str__(self) -> str:
        return f"README of {self.image or self.namespace}"
