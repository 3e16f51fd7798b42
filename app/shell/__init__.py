"""What all tabs share: the page's address, its queues and child processes, visitors' files, and its look."""
