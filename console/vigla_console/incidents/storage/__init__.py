"""The case side in the case database; imported by `app` alone."""
