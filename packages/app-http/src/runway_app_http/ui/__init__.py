"""The pages: server-rendered, complete without JavaScript, one page a file."""
