"""Authentication and authorization: devices, invites, roles and HTTP security."""
