"""The older, flat envelope: `{"error": "<sentence>", "code": "<word>"}`, for `X-Error-Format: flat`."""
