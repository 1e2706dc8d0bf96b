"""Contract suites, fakes and strategies for Runway and for plugin authors."""
