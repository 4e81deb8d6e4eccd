"""Startup code: where it comes from, how it is loaded, and which plans and devices it defines."""
