from django.urls import path

from namespaces.views import (
    descriptions,
    diff,
    home,
    image,
    images,
    manifest,
    namespace,
    permissions,
    search,
    tag,
    tag_updates,
    usage,
    user,
    user_suggestions,
    users,
)

# "-" is no legal part of an image's name, so `/-/` ends a nested name without doubt.
_USER = "a/<slug:handle>/users/<slug:username>/"
_ONE = "a/<slug:handle>/n/<str:name>/"
_IMAGE = _ONE + "i/<path:image_name>/"

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("a/<slug:handle>/", images.account, name="account"),
    path("a/<slug:handle>/search/", search.in_account, name="account-search"),
    path("a/<slug:handle>/images/", images.images, name="images"),
    path("a/<slug:handle>/usage/", usage.account, name="usage"),
    path("a/<slug:handle>/images/updates/", tag_updates.of_account, name="account-updates"),
    path("a/<slug:handle>/namespaces/new/", namespace.create, name="namespace-create"),
    path("a/<slug:handle>/grants/levels/", permissions.change_levels, name="grant-levels"),
    path("a/<slug:handle>/grants/<int:id>/remove/", permissions.remove, name="grant-remove"),
    path("a/<slug:handle>/users/", users.users, name="users"),
    path("a/<slug:handle>/users/new/", users.create, name="user-create"),
    path("a/<slug:handle>/users/new/preview/", users.effect, name="user-create-preview"),
    path("a/<slug:handle>/users/suggestions/", user_suggestions.user_suggestions, name="user-suggestions"),
    path(_USER, user.user, name="user"),
    path(_USER + "edit/", user.edit, name="user-edit"),
    path(_USER + "disable/", user.disable, name="user-disable"),
    path(_USER + "enable/", user.enable, name="user-enable"),
    path(_USER + "password/", user.replace_password, name="user-password"),
    path(_USER + "delete/", user.delete, name="user-delete"),
    path(_USER + "grants/", user.grant, name="user-grants"),
    path(_ONE, namespace.namespace, name="namespace"),
    path(_ONE + "usage/", usage.namespace, name="namespace-usage"),
    path(_ONE + "updates/", tag_updates.of_namespace, name="namespace-updates"),
    path(_ONE + "permissions/", permissions.permissions, name="permissions"),
    path(_ONE + "settings/", namespace.settings, name="namespace-settings"),
    path(_ONE + "description/", descriptions.of_namespace, name="namespace-describe"),
    path(_ONE + "publish/", namespace.publish, name="namespace-publish"),
    path(_ONE + "delete/", namespace.delete, name="namespace-delete"),
    path(_IMAGE + "-/tags/<str:tag_name>/", tag.tag, name="tag"),
    path(_IMAGE + "-/manifests/<str:digest>/", manifest.manifest, name="manifest"),
    path(_IMAGE + "-/manifests/<str:digest>/download/", manifest.download, name="manifest-download"),
    path(_IMAGE + "-/compare/", diff.compare, name="image-compare"),
    path(_IMAGE + "-/updates/", tag_updates.of_image, name="image-updates"),
    path(_IMAGE + "-/description/", descriptions.of_image, name="image-describe"),
    path(_IMAGE + "-/access/", image.access, name="image-access"),
    path(_IMAGE, image.image, name="image"),
]
