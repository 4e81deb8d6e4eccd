"""`qserver-certs`: certificates for a Worker on another machine. Only this package has the library `cryptography`."""
