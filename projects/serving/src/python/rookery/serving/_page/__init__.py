"""The page: a live dashboard on NiceGUI."""

from rookery.serving._page._dashboard import add_page

__all__ = ["add_page"]
