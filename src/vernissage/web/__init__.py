"""The pages of a study in the browser: participants', and the experimenter's behind a password."""
