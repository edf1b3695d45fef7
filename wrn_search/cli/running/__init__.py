"""Commands about searches that run, here or elsewhere: by their records alone."""
