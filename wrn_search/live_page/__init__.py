"""The report as a live page: records that are followed, what a browser is told of them, the server."""
