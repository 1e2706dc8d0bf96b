"""The window of the vendor that pays bills and issues cards: its protocol over the companies' books and banks."""
