"""What was sent: lists, search, pages of a notification and a delivery, charts, export."""
