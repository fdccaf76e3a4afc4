"""Frame: what all areas share of a journey: state, situation, decision, requests, playbook, messages."""
