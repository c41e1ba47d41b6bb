"""What sensors send: alerts and heartbeats. The credential is the identity."""
