"""The subjects: each one imagines what is to be seen and paints it as a study."""
