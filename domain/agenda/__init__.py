"""The agenda follows from the facts: which stages, steps and deliveries a customer's journey must have, whoever asks and whenever."""
