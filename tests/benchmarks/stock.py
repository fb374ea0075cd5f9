"""The stock list of Django's admin on the same table, a baseline for the history.

Registered by importing it, in the process of the benchmark only.
"""

from django.contrib import admin

from notifications.models import Delivery

# Relative to the root.
PATH = "notifications/delivery/"


@admin.register(Delivery)
class StockDeliveries(admin.ModelAdmin):
    list_display = ("created_at", "group_name", "sender_name", "status", "error_code")
    list_filter = ("status", "group_type")
    search_fields = ("group_name", "group_id")
    list_per_page = 50
