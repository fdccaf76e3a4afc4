"""How payloads are written for the engine: packed, and read again whoever wrote them."""
