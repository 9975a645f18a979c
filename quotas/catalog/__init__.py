"""The catalog as a document: read, checked whole, written, compared. No table is touched here."""
