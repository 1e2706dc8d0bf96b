"""The window of the vendor that reads bank accounts: its protocol over the companies' banks."""
