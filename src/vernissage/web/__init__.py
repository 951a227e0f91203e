"""Pages in the browser: what all sites share, and the pages of a study in `study`."""
