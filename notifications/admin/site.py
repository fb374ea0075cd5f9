"""The console: Django's admin at the root, with our pages beside its own."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class ConsoleSite(admin.AdminSite):
    site_title = _("Group notifier")
    site_header = _("Group notifier")
    site_url = None
    index_title = _("Overview")
    enable_nav_sidebar = False
