"""Options, environment variables and the configuration file, with one precedence."""
