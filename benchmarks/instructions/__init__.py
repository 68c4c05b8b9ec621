"""Instructions: what an exchange costs, in a figure that knows no noise."""
