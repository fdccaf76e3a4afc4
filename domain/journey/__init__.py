"""Journey: the whole customer: the agenda, activation, briefing, people, what can be asked."""
