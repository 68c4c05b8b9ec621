"""What sessions cost, of trioweb and of its peers, and whether a kill loses one."""
