"""The page of a comparison: one HTML file that tells its story and can be explored offline, in any browser."""
