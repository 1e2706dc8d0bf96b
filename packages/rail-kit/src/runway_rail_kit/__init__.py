"""What any HTTP rail needs: transport, retry, call budget, OAuth, webhook signatures."""
