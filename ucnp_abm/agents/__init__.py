"""Ions and vacancies as Mesa agents; the only package that imports mesa."""
