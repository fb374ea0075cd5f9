"""SQL that both databases need written by hand."""
