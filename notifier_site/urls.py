"""URLs of the site: the admin, at the root."""

from django.contrib import admin
from django.urls import include, path

from notifications.access.urls import LOGIN_URLS

urlpatterns = [
    path("language/", include("django.conf.urls.i18n")),
    # Before the admin, whose addresses of the login and logout they take.
    *LOGIN_URLS,
    path("", admin.site.urls),
]

handler403 = "notifications.console.views.forbidden"
handler500 = "notifications.console.views.broken"
handler404 = "notifications.console.views.not_found"
