"""Who did or saw what: append-only, one hash chain per tenant and one for the hub."""
