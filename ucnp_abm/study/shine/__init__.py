"""Light over an anneal: its moments, its tables, and their report."""
