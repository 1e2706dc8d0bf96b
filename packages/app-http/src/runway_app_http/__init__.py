"""Runway as an app: JSON API, web pages, command line, composition root."""
