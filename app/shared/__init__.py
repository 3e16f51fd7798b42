"""What several tabs use: what is in assets/, thumbnails, samples, colours, and the work that children do."""
