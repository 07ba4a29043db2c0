"""The business of the blog; the pages are its front."""
