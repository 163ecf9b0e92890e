"""Speed, measured against peers and floors in the same run; absolute figures drift, ratios hold."""
