"""The window of the vendor that takes card payments: its protocol over the companies' processor."""
