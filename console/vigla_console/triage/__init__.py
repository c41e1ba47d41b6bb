"""What people do about groups and incidents."""
