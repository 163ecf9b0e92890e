"""An optional model that rewrites a chapter between locked facts, and a critic; on failure the template text ships."""
