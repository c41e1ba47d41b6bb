"""Who the hub serves: tenants, their kinds, and the roles people hold at them."""
