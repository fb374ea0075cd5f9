"""The admin is the site: the console stands at the root."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("language/", include("django.conf.urls.i18n")),
    path("", admin.site.urls),
]

handler400 = "notifications.views.refused.unreadable"
handler403 = "notifications.views.refused.refused"
handler404 = "notifications.views.refused.missing"
