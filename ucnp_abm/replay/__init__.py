"""The page that steps through a run, and a run recorded into it: one HTML file, without a server."""
