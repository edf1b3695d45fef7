"""What watches a session while it trains: display, verdict so far, requests to stop."""
