"""The route layouts of two Astro blog templates, as small apps.

``paper`` has the layout of satnaing/astro-paper, ``wind`` the one of onwidget/astrowind.
"""
