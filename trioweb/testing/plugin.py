"""The pytest plugin: the fixtures web_client and web_server."""
