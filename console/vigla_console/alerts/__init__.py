"""Alert documents as they arrived: immutable, searchable, in one of several stores behind one protocol."""
