"""The model behind an address, and in a terminal: an OpenAI-compatible server, and a chat."""
