"""Infrastructure of the site: admin site, middleware, context processors, error pages."""
