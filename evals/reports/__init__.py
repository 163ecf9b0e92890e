"""Reports of runs: from results to a value, and from the value to a page, a document or a drawing."""
