"""What leads through the page: a few words about each tab, an opening of thirty seconds, links to copy."""
