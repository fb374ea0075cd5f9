"""The frame of the site: admin site, middleware, context processors, error pages."""
