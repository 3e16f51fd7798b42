"""What every tab stands on: the page's address, its queues and children, visitors' files, looks."""
