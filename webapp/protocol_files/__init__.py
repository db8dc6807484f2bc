"""Read and check protocol files."""
