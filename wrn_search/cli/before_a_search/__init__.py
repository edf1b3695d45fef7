"""Commands for before a search: of images and space files, and of what would be done with them."""
