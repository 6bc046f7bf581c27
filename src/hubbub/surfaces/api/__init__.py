"""The HTTP API: turns every domain's routes into one ASGI application. The only folder that knows the web framework."""
