"""What is told of a study: sentences, tables, figures, methods, and the page that holds them all."""
