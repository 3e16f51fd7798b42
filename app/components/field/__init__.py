"""Decodes networks in the visitor's browser: what it fetches from the server (`files`), its scripts (`page/`), and a
sheet of pictures that it draws (`sheet`)."""
