"""An instrument as a package: settings and devices in YAML, code in modules."""
