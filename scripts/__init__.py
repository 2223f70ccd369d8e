"""What developers of netlearn run: benchmark, reproduction, bundled data."""
