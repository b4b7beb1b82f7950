"""The author's workbench: what a mechanism does, checked and shown before any event."""
