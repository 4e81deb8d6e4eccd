"""Items checked when they are submitted, and again when plans, devices or permissions change."""
