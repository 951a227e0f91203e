"""The pages of a study: participants', and the experimenter's behind a password."""
