"""One folder per platform. A folder with a `platform.toml` is a platform; nothing else mentions it."""
