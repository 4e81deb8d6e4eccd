"""`qserver queue …`."""
