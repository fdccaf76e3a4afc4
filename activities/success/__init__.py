"""Success: onboarding, adoption, expansion, reorder, health, surveys, usage."""
