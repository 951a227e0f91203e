"""Pages for visitors over one gallery: a module for each page, whose function ``routes`` gives its addresses."""
